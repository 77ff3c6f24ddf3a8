#!/usr/bin/python3
"""What an operation costs as the database grows (./dev bench scale).

For each size: the real program makes a database, scale_bench fills it (years of invitations as the service would have
left them), and then, at every size in the same way:

  whole call    CPU time of `invited serve` for each SendInvite, page of a link, and list of 100 invitations for an API
                token, under wrk with 64 connections; for each link that somebody opens and accepts with a sign-up; for
                each mail that leaves a queue
  use case      CPU time of SendInvite, look-up, accept, claim and the lists through the domain and the store alone
  start         time until /readyz is 200: files not in the page cache; after kill -9 with a long log; with a long queue

With --turns N: only the whole call of SendInvite, N pairs of a second with the first size and a second with the last
one, as a machine's speed may change by half within minutes; the middle of the pairs' ratios, and the furthest.

With --postgresql: on a server of its own with a quarter of the machine's memory (shared_buffers), to which `invited
migrate-store` moves what was filled; the server's processes count, too. No crashes and long queues there.

CPU time (kernel included), not the time on the wall: others may use the machine. "growth" is the last size's figure over
the first one's. Nothing is asserted. The caches are the product's, and warm as after a while at work: large databases
take invitations for some seconds first; the machine's page cache holds what fits into it.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from bench import HERE, Service, load, load_with, progress
from mail import Sink

sys.path.insert(0, str(HERE.parent / "support"))
import postgres  # noqa: E402
from web_client import Person  # noqa: E402

RELAY_AWAY = 'transport = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "off"'
ROUNDS = 6
ACCEPTANCES = 40  # in a round; each hashes a password
MAILS = 8_000
SMALL = 100_000
LONGEST_QUEUE = 1_000_000
LONG_LOG_BYTES = 48 << 20
WARM_SECONDS = 3  # before each round with a large database
# Until PostgreSQL has logged as a whole most of the pages that it logs so once after each checkpoint.
SETTLE_SECONDS = 40
PASSWORD = "quite unguessable 4711 harbour"

# Holds a snapshot, so that the log cannot be written back; killed, so that it writes nothing back itself.
HOLD_SNAPSHOT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT COUNT(*) FROM app").fetchone()
print("held", flush=True)
sys.stdin.read()
"""


def parse_size(text: str) -> int:
    for suffix, factor in (("k", 1_000), ("m", 1_000_000)):
        if text.lower().endswith(suffix):
            return int(float(text[:-1]) * factor)
    return int(text)


def leave_page_cache(folder: pathlib.Path) -> None:
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


class Size:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path, invitations: int):
        self.tool = build / "bench/scale_bench"
        self.folder = folder
        self.invitations = invitations
        self.service = Service(build / "invited", folder, RELAY_AWAY, start=False)
        self.database = self.service.state / "invited.db"
        self.figures: dict[str, float] = {}
        self.pristine = folder / "pristine"

    def keep_pristine(self) -> None:
        """Of the stopped service: what tells it that its database is no older copy goes with the database."""
        if self.invitations < SMALL:
            shutil.copytree(self.service.state, self.pristine)

    def restore(self) -> None:
        """What the rounds add would make a small database a large one."""
        if self.pristine.exists():
            shutil.rmtree(self.service.state)
            shutil.copytree(self.pristine, self.service.state)

    def run(self, *words: object) -> dict:
        output = subprocess.run([str(self.tool), *map(str, words)], stdout=subprocess.PIPE, text=True, check=True).stdout
        return json.loads(output) if output.startswith("{") else {}

    def costs(self, *words: object) -> dict[str, float]:
        return {f"us {name}": value for name, value in self.run(*words).items()}

    def cpu_seconds(self) -> float:
        return self.service.program.cpu_seconds()

    def start(self) -> float:
        began = time.monotonic()
        self.service.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.service.port}/readyz", timeout=60) as answer:
            assert answer.status == 200
        return round(time.monotonic() - began, 3)

    def measure(self) -> dict[str, float]:
        progress(f"{self.invitations} invitations: filling")
        self.run("fill", self.database, self.invitations)
        self.figures["bytes for each invitation"] = self.database.stat().st_size // self.invitations
        leave_page_cache(self.service.state)
        self.figures["s to start, files not cached"] = self.start()
        self.service.program.stop()
        self.token = self.api_token()
        self.keep_pristine()
        self.service.start()
        progress("whole calls")
        self.measure_calls()
        progress("crash with a long log")
        self.crash()
        self.figures["s to start after kill -9"] = self.start()
        self.service.program.stop()
        self.restore()
        progress("use cases and store")
        self.figures |= self.costs("measure", self.database)
        queue = min(self.invitations, LONGEST_QUEUE)
        progress(f"a queue of {queue} mails that are due")
        self.run("fill", self.database, 0, queue)
        self.figures |= self.costs("measure-backlog", self.database)
        self.figures["s to start with that queue"] = self.start()
        self.service.program.stop()
        self.measure_mails()
        return self.figures

    def write_paths(self, name: str, *words: object) -> pathlib.Path:
        file = self.folder / name
        with file.open("w") as output:
            subprocess.run([str(self.tool), "links", str(self.service.state), *map(str, words)], stdout=output, check=True)
        return file

    def api_token(self) -> str:
        """For one of the apps with many invitations."""
        where = ("--environment", "Environment 0")
        self.service.command("access", "grant", *where, "--email", "inviter@example.org", "--role", "Planner")
        return self.service.command("token", "add", *where, "--account", "inviter@example.org")["api_token"]

    def measure_calls(self) -> None:
        links = self.write_paths("links", 20000)
        lists = self.folder / "lists"
        lists.write_text("/api/v1/invitations?limit=100\n")

        def get(paths: pathlib.Path, **variables: str) -> dict:
            return load_with("get.lua", self.service.port, 64, 1, {"INVITED_BENCH_PATHS": str(paths), **variables})

        calls = {"us SendInvite, whole call": lambda run: load(self.service.port, self.service.body, 64, 1, run),
                 "us page of a link, whole call": lambda _: get(links),
                 "us newest 100 of an app, whole call": lambda _: get(lists, INVITED_BENCH_TOKEN=self.token),
                 "us accept, page and form": self.accept}
        self.open_links = self.write_paths("open-links", ROUNDS * ACCEPTANCES, "open").read_text().split()
        costs: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(ROUNDS):
            if self.invitations >= SMALL:
                load(self.service.port, self.service.body, 64, WARM_SECONDS, f"warm{number}")
            for name, call in calls.items():
                before = self.cpu_seconds()
                result = call(f"round{number}")
                assert result["errors"] == 0, result
                costs[name].append((self.cpu_seconds() - before) * 1e6 / result["requests"])
            self.service.program.stop()
            self.restore()
            self.service.start()
        self.figures |= {name: round(min(values), 1) for name, values in costs.items()}

    def accept(self, _: str) -> dict[str, int]:
        failed = 0
        for path in (self.open_links.pop() for _ in range(ACCEPTANCES)):
            person = Person(self.service.port)
            done = person.submit(person.open(f"http://127.0.0.1{path}"), "/accept",
                                 {"name": "Ada Lovelace", "password": PASSWORD, "password_again": PASSWORD})
            failed += done.status != 200
        return {"requests": ACCEPTANCES, "errors": failed}

    def measure_mails(self) -> None:
        """After the first thousand, for the start must not count."""
        sink = Sink(self.folder)
        config = self.service.config.read_text()
        self.service.config.write_text(config.replace("port = 9\n", f"port = {sink.port}\nconnections = 5\n"))
        reader = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        count = lambda: reader.execute("SELECT COUNT(*) FROM outbox_message WHERE state = 'queued'").fetchone()[0]
        queued = count()

        def wait_for(mails: int) -> tuple[float, int]:
            while (sent := queued - count()) < mails:
                time.sleep(0.05)
            return self.cpu_seconds(), sent

        self.service.start()
        (before, early), (after, late) = wait_for(1_000), wait_for(1_000 + MAILS)
        self.service.program.stop()
        reader.close()
        sink.stop()
        self.figures["us mail out of that queue"] = round((after - before) * 1e6 / (late - early), 1)

    def crash(self) -> None:
        log = self.database.with_name("invited.db-wal")
        with subprocess.Popen([sys.executable, "-c", HOLD_SNAPSHOT, str(self.database)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as holder:
            holder.stdout.readline()
            for number in range(30):
                load(self.service.port, self.service.body, 64, 1, f"crash{number}")
                if log.stat().st_size > LONG_LOG_BYTES:
                    break
            progress("kill -9")
            self.service.program.process.send_signal(signal.SIGKILL)
            self.service.program.process.wait()
            holder.kill()
        self.figures["MiB of log then"] = log.stat().st_size >> 20


    def send_invite_cost(self, run: str) -> float:
        """Of a second of load after a second that does not count: the rest of a restart, a log that is due."""
        load(self.service.port, self.service.body, 64, 1, f"{run}-warm")
        before = self.cpu_seconds()
        result = load(self.service.port, self.service.body, 64, 1, run)
        assert result["errors"] == 0, result
        return (self.cpu_seconds() - before) * 1e6 / result["requests"]


class PostgresSize(Size):
    """The same, moved to a database of its own on `server`."""

    MOVED, PRISTINE = "moved", "pristine"

    def __init__(self, build: pathlib.Path, folder: pathlib.Path, invitations: int, server: postgres.Server):
        super().__init__(build, folder, invitations)
        self.server = server

    def keep_pristine(self) -> None:
        super().keep_pristine()
        if self.invitations < SMALL:
            self.server.query(f"CREATE DATABASE {self.PRISTINE} TEMPLATE {self.MOVED} OWNER invited")

    def restore(self) -> None:
        super().restore()
        if self.invitations < SMALL:
            self.server.query(f"DROP DATABASE {self.MOVED} WITH (FORCE)")
            self.server.query(f"CREATE DATABASE {self.MOVED} TEMPLATE {self.PRISTINE} OWNER invited")

    def cpu_seconds(self) -> float:
        ticks = 0
        for number, pid in enumerate(self.server.processes()):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15 if number == 0 else 13]))  # the first one's: with those that have ended
        return super().cpu_seconds() + ticks / os.sysconf("SC_CLK_TCK")

    def warm(self) -> None:
        self.server.query("CREATE EXTENSION IF NOT EXISTS pg_prewarm", self.MOVED)
        self.server.query("SELECT pg_prewarm(indexrelid) FROM pg_stat_user_indexes WHERE indexrelname IN"
                          " ('invitation_by_invitee', 'account_email_key_key')", self.MOVED, timeout=600)
        load(self.service.port, self.service.body, 64, SETTLE_SECONDS, "settle")

    def measure(self) -> dict[str, float]:
        progress(f"{self.invitations} invitations: filling")
        self.run("fill", self.database, self.invitations)
        progress("moving them to PostgreSQL")
        url = self.server.create_database(self.MOVED)
        began = time.monotonic()
        subprocess.run([self.service.binary, "migrate-store", "--from", f"sqlite:{self.database}", "--to", url],
                       stdout=subprocess.DEVNULL, check=True)
        self.figures["s to move it"] = round(time.monotonic() - began, 1)
        self.server.query("VACUUM ANALYZE", self.MOVED, timeout=1800)
        self.figures["bytes for each invitation"] = int(
            self.server.value(f"SELECT pg_database_size('{self.MOVED}')", self.MOVED)) // self.invitations
        self.service.config.write_text(f'database = "{url}"\n' + self.service.config.read_text())
        self.figures["s to start"] = self.start()
        self.service.program.stop()
        self.token = self.api_token()
        self.keep_pristine()
        self.service.start()
        if self.invitations >= SMALL:
            progress("warming caches")
            self.warm()
        progress("whole calls")
        self.measure_calls()
        self.service.program.stop()
        self.restore()
        progress("use cases and store")
        self.figures |= self.costs("measure", self.database, url, self.server.processes()[0])
        for database in (self.MOVED, self.PRISTINE):
            self.server.query(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        return self.figures


def measure(size: Size) -> dict[str, float]:
    try:
        return size.measure()
    finally:
        stop(size)


def stop(size: Size) -> None:
    program = getattr(size.service, "program", None)
    if program and program.process.poll() is None:
        program.stop()


def measure_in_turns(small: Size, large: Size, pairs: int) -> list[tuple[float, float]]:
    costs = []
    try:
        for size in (small, large):
            progress(f"{size.invitations} invitations: filling")
            size.run("fill", size.database, size.invitations)
            size.keep_pristine()
            size.service.start()
        load(large.service.port, large.service.body, 64, 5 * WARM_SECONDS, "settle")
        for number in range(pairs):
            costs.append((small.send_invite_cost(f"turn{number}"), large.send_invite_cost(f"turn{number}")))
            progress("turn %d: %.1f us, %.1f us" % (number + 1, *costs[-1]))
            stop(small)
            small.restore()
            small.service.start()
    finally:
        stop(small)
        stop(large)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--sizes", default="10k,1m,10m", help="10m takes 25 GB of disk and half an hour")
    parser.add_argument("--turns", type=int, help="pairs of SendInvite with the first and the last size (SQLite)")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server of its own")
    parser.add_argument("--folder", type=pathlib.Path, help="where the databases are made (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    args = parser.parse_args()
    sizes = [parse_size(text) for text in args.sizes.split(",")]

    if args.turns:
        if args.postgresql:
            parser.error("--turns is for SQLite")
        with tempfile.TemporaryDirectory(prefix="invited-scale-", dir=args.folder) as folder:
            small, large = (Size(args.build.resolve(), pathlib.Path(folder) / str(size), size)
                            for size in (sizes[0], sizes[-1]))
            costs = measure_in_turns(small, large, args.turns)
        ratios = sorted(b / a for a, b in costs)
        print(f"SendInvite, whole call, {len(costs)} pairs: {statistics.median(a for a, _ in costs):.0f} us with {sizes[0]}, "
              f"{statistics.median(b for _, b in costs):.0f} us with {sizes[-1]}; growth {statistics.median(ratios):.2f} "
              f"in the middle ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        return

    results: dict[int, dict[str, float]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="invited-scale-", dir=args.folder) as folder:
            what = args.build.resolve(), pathlib.Path(folder) / "service", size
            if not args.postgresql:
                results[size] = measure(Size(*what))
                continue
            postgres.need()
            with postgres.Cluster(parent=args.folder or tempfile.gettempdir()) as cluster:
                memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
                cluster.primary.set(shared_buffers=f"{memory // 4}MB", max_wal_size="4GB")
                cluster.primary.restart()
                results[size] = measure(PostgresSize(*what, cluster.primary))

    names = list(results[sizes[0]])
    width = max(map(len, names))
    print(f"{'':<{width}}" + "".join(f"{size:>12}" for size in sizes) + f"{'growth':>9}")
    for name in names:
        values = [results[size][name] for size in sizes]
        growth = f"{values[-1] / values[0]:9.2f}" if len(sizes) > 1 and values[0] else ""
        print(f"{name:<{width}}" + "".join(f"{value:>12.6g}" if value >= 1000 else f"{value:>12.4g}" for value in values)
              + growth)
    if args.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
