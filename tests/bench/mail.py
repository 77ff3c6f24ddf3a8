#!/usr/bin/python3
"""How fast the outbox drains (./dev bench mail), beside Postfix's own smtp-source against the same smtp-sink.

For each number of connections, in one run: smtp-source sends as many messages of the same bytes, once over sessions that
it keeps (-d, as we keep ours) and once with a connection for each message (its default); then the real program drains a
queue of that many invitations, each rendered, looked up right before it is sent, and recorded durably before the next one
of its connection is completed. What the sink counted must be what was queued, each sent at its first attempt: none lost,
none twice.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

from bench import Service, progress

SBIN = "/usr/sbin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sink:
    """Postfix's smtp-sink: counts and throws away."""

    def __init__(self, folder: pathlib.Path):
        self.port = free_port()
        self.log = (folder / f"sink-{self.port}").open("w+b")
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.process = subprocess.Popen([f"{SBIN}/smtp-sink", "-4", *user, "-c", f"127.0.0.1:{self.port}", "1000"],
                                        stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise SystemExit("smtp-sink does not start") from None

    def stop(self) -> int:
        """How many messages it took."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.log.seek(0)
        return int(re.findall(rb"mesg=(\d+)", self.log.read())[-1])


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def smtp_source(folder: pathlib.Path, mail: pathlib.Path, messages: int, connections: int, keep: bool) -> float:
    """Messages a second."""
    sink = Sink(folder)
    began = time.monotonic()
    subprocess.run([f"{SBIN}/smtp-source", "-4", *(["-d"] if keep else []), "-s", str(connections), "-m", str(messages),
                    "-f", "invitations@example.org", "-t", "person@example.com", "-F", str(mail),
                    f"127.0.0.1:{sink.port}"], check=True)
    rate = messages / (time.monotonic() - began)
    if (taken := sink.stop()) != messages:
        raise SystemExit(f"smtp-source sent {taken} of {messages}")
    return rate


class Bench:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path):
        self.build = build
        self.folder = folder

    def service(self, name: str, mail: str, queued: int) -> Service:
        service = Service(self.build / "invited", self.folder / name, mail, start=False)
        subprocess.run([self.build / "bench/scale_bench", "fill", service.state / "invited.db", "0", str(queued)],
                       check=True, stderr=subprocess.DEVNULL)
        return service

    def sample_mail(self) -> pathlib.Path:
        """One of our mails, as smtp-source wants it: without CR."""
        mails = self.folder / "sample-mails"
        service = self.service("sample", f'transport = "directory"\ndirectory = "{mails}"', 1)
        service.start()
        deadline = time.monotonic() + 30
        while not (found := list(mails.glob("*.eml"))) and time.monotonic() < deadline:
            time.sleep(0.05)
        service.program.stop()
        sample = self.folder / "sample.eml"
        sample.write_bytes(found[0].read_bytes().replace(b"\r\n", b"\n"))
        return sample

    def drain(self, messages: int, connections: int) -> dict[str, float]:
        sink = Sink(self.folder)
        service = self.service(f"drain-{connections}", f'transport = "smtp"\nhost = "127.0.0.1"\nport = {sink.port}\n'
                                                       f'tls = "off"\nconnections = {connections}', messages)
        service.start()
        program = service.program
        began = time.monotonic()
        reader = sqlite3.connect(f"file:{service.state / 'invited.db'}?mode=ro", uri=True)
        left = messages
        memory_early = 0
        while left:
            time.sleep(0.1)
            left = reader.execute("SELECT COUNT(*) FROM outbox_message WHERE state = 'queued'").fetchone()[0]
            if not memory_early and left < messages * 0.9:
                memory_early = program.memory_kib("VmRSS")
            if program.process.poll() is not None:
                raise SystemExit("the service ended")
        seconds = time.monotonic() - began
        figures = {"per_second": messages / seconds, "cpu_us": cpu_seconds(program.process.pid) * 1e6 / messages,
                   "sink_cpu_us": cpu_seconds(sink.process.pid) * 1e6 / messages,
                   "mib_early": memory_early / 1024, "mib_end": program.memory_kib("VmRSS") / 1024}
        odd = reader.execute("SELECT COUNT(*) FROM outbox_message WHERE state <> 'sent' OR claims <> 1").fetchone()[0]
        reader.close()
        program.stop()
        taken = sink.stop()
        if taken != messages or odd:
            raise SystemExit(f"{messages} were queued, the sink took {taken}, {odd} were not sent at the first attempt")
        shutil.rmtree(service.state.parent)
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--connections", default="1,5,20")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    args = parser.parse_args()

    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="invited-mail-") as name:
        bench = Bench(args.build.resolve(), pathlib.Path(name))
        mail = bench.sample_mail()
        print(f"{args.messages} mails of {mail.stat().st_size} bytes", flush=True)
        for connections in map(int, args.connections.split(",")):
            progress(f"{connections} connections: smtp-source")
            kept = smtp_source(bench.folder, mail, args.messages, connections, keep=True)
            fresh = smtp_source(bench.folder, mail, args.messages, connections, keep=False)
            progress(f"{connections} connections: invited")
            ours = bench.drain(args.messages, connections)
            results[str(connections)] = {**ours, "source_kept": kept, "source_fresh": fresh}
            print(f"{connections} connection(s): invited {ours['per_second']:.0f}/s, {ours['cpu_us']:.0f} us of CPU each "
                  f"(sink {ours['sink_cpu_us']:.0f}), resident {ours['mib_early']:.0f} MiB after a tenth, "
                  f"{ours['mib_end']:.0f} MiB at the end\n"
                  f"   smtp-source keeping sessions {kept:.0f}/s: {ours['per_second'] / kept:.2f} of it; "
                  f"connecting for each {fresh:.0f}/s: {ours['per_second'] / fresh:.2f} of it\n"
                  f"   the sink took {args.messages}, each once", flush=True)
    if args.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
