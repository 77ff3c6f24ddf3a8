#!/usr/bin/python3
"""Speed and memory of invited, measured as ratios in one run (./dev bench).

All on loopback, load generator and service on the same machine; every figure is of this run, on this machine. The no-op
and SendInvite take turns, and the ratio is the middle one of their pairs: a machine's speed changes within minutes.

  no-op         a gSOAP endpoint that does nothing, behind the same HTTP front: the ceiling
  SendInvite    the real program, durable (SQLite, WAL, synchronous=FULL), every address fresh, all limits counted but set
                high; once with the relay away (the queue is held), once with mail being delivered into a directory
  SQLite alone  the same statements and batch size on the C API, no service around it, SQLite's own writing to its log
  idle          resident memory with 10,000 idle connections, and whether a good request is still answered

Not a test: nothing is asserted but that every request was answered with success.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
PATH = "/ws/InviteAPI/1/soap1"
IDLE_CONNECTIONS = 10_000
INVITERS = ("inviter@example.org", "second.inviter@example.org")  # a million invitations an hour is the most for one

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>\
<tns:SendInvite xmlns:tns="http://www.example.com/"><EnvironmentUUID>{environment_uuid}</EnvironmentUUID>\
<EnvironmentPassword>{environment_password}</EnvironmentPassword><RoleUUID>{role_uuid}</RoleUUID>\
<InviteeEmailAddress>person-@N@@example.org</InviteeEmailAddress><InviterEmailAddress>{inviter_email}</InviterEmailAddress>\
</tns:SendInvite></soap:Body></soap:Envelope>"""

CONFIG = """state_dir = "{state}"
public_url = "http://127.0.0.1"
[http]
listen = "127.0.0.1:0"
max_connections_per_address = 20000
idle_timeout = "600s"
[rates]
environment_per_second = 1000000
environment_burst = 1000000
environment_per_day = 100000000
inviter_per_hour = 1000000
inviter_per_day = 1000000
sign_ups_per_minute = 1000000
[mail]
{mail}
from = "invitations@example.org"
[log]
level = "warning"
"""


def progress(text: str) -> None:
    print(f"   {text}", file=sys.stderr, flush=True)


class Program:
    """A program that prints one line when it is ready, ended by its own process id."""

    def __init__(self, command: list[str], ready: str, env: dict[str, str] | None = None):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})
        self.ready_match = self._wait(re.compile(ready), 30)

    def _wait(self, pattern: re.Pattern, seconds: float) -> re.Match:
        watchdog = threading.Timer(seconds, self.process.kill)
        watchdog.start()
        seen = ""
        for line in self.process.stderr:
            seen += line
            if match := pattern.search(line):
                watchdog.cancel()
                # The pipe must not fill up and block the program.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return match
        raise SystemExit(f"{self.process.args[0]} did not get ready:\n{seen}")

    def memory_kib(self, field: str) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1])

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()


def load(port: int, body: str, connections: int, seconds: int, run: str) -> dict:
    """One wrk run of SendInvite; requests per second and p99."""
    return load_with("send_invite.lua", port, connections, seconds, {
        "INVITED_BENCH_BODY": body, "INVITED_BENCH_PATH": PATH, "INVITED_BENCH_RUN": run})


def load_with(script: str, port: int, connections: int, seconds: int, variables: dict[str, str]) -> dict:
    output = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / script),
                             f"http://127.0.0.1:{port}"],
                            env={**os.environ, **variables}, capture_output=True, text=True, check=True).stdout
    result = json.loads(re.search(r"RESULT (.*)", output)[1])
    return {"rps": round(result["requests"] / (result["duration_us"] / 1e6)), "p50_ms": result["p50_us"] / 1000,
            "p99_ms": round(result["p99_us"] / 1000, 2),
            "errors": result["http_errors"] + result["socket_errors"], "requests": result["requests"]}


class Service:
    """`invited serve` on a fresh state directory with one app, set up by the real commands."""

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, mail: str, start: bool = True):
        folder.mkdir()
        self.config = folder / "invited.toml"
        self.state = folder / "state"
        self.config.write_text(CONFIG.format(state=self.state, mail=mail))
        self.state.mkdir(mode=0o700)
        self.binary = binary
        app = self.command("app", "add", "--name", "Bench", "--url", "https://bench.example.org/")
        role = self.command("role", "add", "--app", app["app_uuid"], "--name", "User")
        environment = self.command("environment", "add", "--app", app["app_uuid"], "--name", "Load")
        for email in INVITERS:
            self.command("account", "add", "--email", email, "--name", "Grace Hopper")
            self.command("access", "grant", "--environment", environment["environment_uuid"], "--email", email, "--role",
                         role["role_uuid"])
        self.bodies = [ENVELOPE.format(inviter_email=email, role_uuid=role["role_uuid"], **{
            key: environment[key] for key in ("environment_uuid", "environment_password")}) for email in INVITERS]
        self.body = self.bodies[0]
        if start:
            self.start()

    def start(self) -> None:
        self.program = Program([str(self.binary), "serve", "--config", str(self.config)],
                               r"service\.started.*?listen=\S*:(\d+)", {"INVITED_LOG_LEVEL": "info"})
        self.port = int(self.program.ready_match[1])

    def command(self, *words: str) -> dict:
        output = subprocess.run([str(self.binary), *words, "--config", str(self.config), "--json"],
                                capture_output=True, text=True)
        if output.returncode != 0:
            raise SystemExit(f"{words}: {output.stdout}{output.stderr}")
        return json.loads(output.stdout)


def in_turns(rounds: int, first: Callable[[int], dict], second: Callable[[int], dict]) -> tuple[dict, dict, float]:
    """The median of each figure of the one and of the other load, and of the ratio of their requests per second."""
    pairs = [(first(turn), second(turn)) for turn in range(rounds)]

    def median(loads: list[dict]) -> dict:
        return {key: round(statistics.median(load[key] for load in loads), 2) for key in loads[0]} | {
            "errors": sum(load["errors"] for load in loads)}

    return (median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs]),
            round(statistics.median(two["rps"] / one["rps"] for one, two in pairs), 3))


def measure_idle(service: Service) -> dict:
    """Resident memory before and with 10,000 idle connections (opened by a process of its own: file descriptors)."""
    before = service.program.memory_kib("VmRSS")
    opener = subprocess.Popen([sys.executable, __file__, "--hold", str(IDLE_CONNECTIONS), "--port", str(service.port)],
                              stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    opened = int(opener.stdout.readline())
    cpu = service.program.cpu_seconds()
    started = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/healthz", timeout=10) as answer:
        answered = answer.status == 200
    time.sleep(3)  # the thing measured: what idling costs
    idle_cpu = (service.program.cpu_seconds() - cpu) / (time.monotonic() - started)
    with_idle = service.program.memory_kib("VmRSS")
    opener.communicate("done\n", timeout=60)
    return {"opened": opened, "idle_10k_mib": round((with_idle - before) / 1024, 1), "idle_cpu": round(idle_cpu, 4),
            "answered": answered}


def hold(count: int, port: int) -> None:
    """Opens connections that each have been used once (kept alive), says how many, and holds them until told."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    sockets = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        sockets.append(connection)
    print(len(sockets), flush=True)
    sys.stdin.readline()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    parser.add_argument("--rounds", type=int, default=6, help="turns that no-op and SendInvite take")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.hold:
        return hold(args.hold, args.port)

    build = args.build.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="invited-bench-"))
    programs: list[Program] = []
    rows: list[tuple[str, str]] = []
    figures: dict[str, float] = {}
    try:
        progress("no-op gSOAP endpoint and durable SendInvite, relay away, in turns")
        noop = Program([str(build / "bench/noop_server")], r"listening (\d+)")
        programs.append(noop)
        noop_port = int(noop.ready_match[1])
        sample = ENVELOPE.format(environment_uuid="0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", environment_password="x" * 43,
                                 role_uuid="0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", inviter_email="inviter@example.org")
        service = Service(build / "invited", folder / "held", 'transport = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "off"')
        programs.append(service.program)
        rss_idle = service.program.memory_kib("VmRSS")
        load(noop_port, sample, 64, 2, "warm")
        load(service.port, service.body, 64, 2, "warm")
        (noop64, send64, ratio64), (noop256, send256, ratio256) = (
            in_turns(args.rounds,
                     lambda turn: load(noop_port, sample, connections, args.seconds, f"n{connections}-{turn}"),
                     lambda turn: load(service.port, body, connections, args.seconds, f"s{connections}-{turn}"))
            for connections, body in zip((64, 256), service.bodies))
        noop.stop()
        rss_loaded = service.program.memory_kib("VmRSS")
        rss_peak = service.program.memory_kib("VmHWM")
        progress(f"{IDLE_CONNECTIONS} idle connections")
        idle = measure_idle(service)
        service.program.stop()

        progress("durable SendInvite, mail being delivered into a directory")
        mails = folder / "mails"
        delivering = Service(build / "invited", folder / "delivering", f'transport = "directory"\ndirectory = "{mails}"')
        programs.append(delivering.program)
        with_delivery = load(delivering.port, delivering.body, 64, 8, "d64")
        delivered = sum(1 for _ in mails.glob("*.eml"))
        delivering.program.stop()

        progress("SQLite alone")
        sqlite = json.loads(subprocess.run([str(build / "bench/storage_bench"), "--json"], capture_output=True, text=True,
                                           check=True, cwd=folder).stdout.strip().splitlines()[-1])
    finally:
        for program in programs:
            if program.process.poll() is None:
                program.stop()
        shutil.rmtree(folder, ignore_errors=True)

    failed = sum(r["errors"] for r in (noop64, noop256, send64, send256, with_delivery))
    figures = {"noop_rps": noop64["rps"], "noop_256_rps": noop256["rps"], "send_invite_rps": send64["rps"],
               "send_invite_256_rps": send256["rps"], "ratio": ratio64, "ratio_256": ratio256, "p99_ms": send64["p99_ms"],
               "p99_256_ms": send256["p99_ms"], "send_invite_with_delivery_rps": with_delivery["rps"],
               "delivered_meanwhile": delivered, **{k: v for k, v in sqlite.items() if isinstance(v, (int, float))},
               "idle_10k_mib": idle["idle_10k_mib"], "idle_cpu": idle["idle_cpu"],
               "rss_mib": round(rss_idle / 1024, 1), "rss_loaded_mib": round(rss_loaded / 1024, 1),
               "rss_peak_mib": round(rss_peak / 1024, 1), "errors": failed}
    rows = [
        ("no-op gSOAP, 64 connections", f"{noop64['rps']:>8} /s   p99 {noop64['p99_ms']} ms"),
        ("no-op gSOAP, 256 connections", f"{noop256['rps']:>8} /s   p99 {noop256['p99_ms']} ms"),
        ("SendInvite, 64 connections", f"{send64['rps']:>8} /s   p99 {send64['p99_ms']} ms   {figures['ratio']:.2f} of the no-op"),
        ("SendInvite, 256 connections", f"{send256['rps']:>8} /s   p99 {send256['p99_ms']} ms   {figures['ratio_256']:.2f} of the no-op"),
        ("SendInvite while mail is delivered, 64", f"{with_delivery['rps']:>8} /s   p99 {with_delivery['p99_ms']} ms   {delivered} mails meanwhile"),
        *[(key.replace("_", " "), f"{value:>8}") for key, value in sqlite.items() if isinstance(value, (int, float))],
        ("resident, idle / loaded / peak", f"{figures['rss_mib']} / {figures['rss_loaded_mib']} / {figures['rss_peak_mib']} MiB"),
        (f"{idle['opened']} idle connections", f"+{idle['idle_10k_mib']} MiB, {idle['idle_cpu'] * 100:.1f} % of a core"),
        ("requests that failed", f"{failed:>8}"),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    if args.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
