"""O16, 24 h of ageing in miniature: `./dev test ageing [MINUTES]`, one hour by default, at half of the load that the
service and its relay carry here, with one fault for a hundred calls: wrong passwords, calls broken off, readers and
writers that are slow or vanish, a relay that defers, rejects, or breaks the connection. Memory, descriptors and the
slowest hundredth of the answers must stay flat, and nothing may be lost. Prints a table; exits with 1 where something
grows."""

import argparse
import dataclasses
import pathlib
import random
import socket
import statistics
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import deployment
import soap_client
from call_log import DONE, REFUSED, UNKNOWN
from invited_service import NO_RATES, Service
from load_caller import REPEATS, LoadCaller
from smtp_relay import Relay
from stored import SqliteDatabase
from world import World

FAULTS = 0.01
# What may grow over an hour: O16. A short run cannot tell so little from noise.
KIB_AN_HOUR = 1024
KIB_ANYWAY = 2048
DESCRIPTORS = 10


class Outcomes:
    """Instead of a log of all calls, which would not fit into memory: who was invited, and how long answers took."""

    def __init__(self):
        self._lock = threading.Lock()
        self.intentions = {DONE: set(), REFUSED: set(), UNKNOWN: set()}
        self.counts = dict.fromkeys(self.intentions, 0)
        self._seconds = []

    def add(self, call):
        with self._lock:
            self.intentions[call.outcome].add(hash(call.intention))
            self.counts[call.outcome] += 1
            if call.outcome == DONE:
                self._seconds.append(call.seconds)

    def take_seconds(self):
        with self._lock:
            taken, self._seconds = self._seconds, []
        return sorted(taken)


class AgeingRelay(Relay):
    """Counts mails instead of keeping them. Once `faulty`, it defers or rejects one of a hundred, and breaks a
    connection once a minute: after that the service leaves a relay alone for ten seconds, so one of a hundred would be
    no half load."""

    def __init__(self):
        super().__init__(tls="off")
        self.taken = self.deferred = self.rejected = self.broken = 0
        self.faulty = False
        self._breaks_at = 0.0

    def reply_instead(self, mail, server):
        if not self.faulty:
            return None
        if time.monotonic() > self._breaks_at:
            self._breaks_at = time.monotonic() + 60
            self.broken += 1
            server.transport.abort()
            return "451 4.3.0 Never read"
        if random.random() > FAULTS:
            return None
        if random.random() < 0.5:
            self.deferred += 1
            return "451 4.3.0 Not now"
        self.rejected += 1
        return "550 5.1.1 No such person here"

    def keep(self, mail, session):
        self.taken += 1


class Vandals:
    """Clients that break off, do not read, or dribble; a few at a time."""

    def __init__(self, service, rate, slots=8):
        self.service = service
        self.done = 0
        self._pause = slots / rate
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(slots)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._stop.wait(random.uniform(0, 2 * self._pause)):
            try:
                with socket.create_connection(("127.0.0.1", self.service.port), timeout=30) as connection:
                    random.choice([self._break_off, self._never_read, self._read_slowly, self._dribble])(connection)
            except OSError:
                pass
            self.done += 1

    def _request(self):
        """To be refused, so that it invites nobody."""
        body = soap_client.envelope(self.service.invite_parameters("vandal@example.org", EnvironmentPassword="wrong"))
        headers = "".join(f"{name}: {value}\r\n" for name, value in soap_client.soap_headers().items())
        return (f"POST {soap_client.PATH} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
                f"{body}").encode()

    def _break_off(self, connection):
        request = self._request()
        connection.sendall(request[:random.randrange(1, len(request))])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST

    def _never_read(self, connection):
        for _ in range(20):
            connection.sendall(b"GET /ws-doc/ HTTP/1.1\r\nHost: a\r\n\r\n")
        self._stop.wait(2)

    def _read_slowly(self, connection):
        connection.sendall(b"GET /ws-doc/ HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(20):
            if not connection.recv(200) or self._stop.wait(0.1):
                return

    def _dribble(self, connection):
        for byte in self._request()[:20]:
            connection.sendall(bytes([byte]))
            if self._stop.wait(0.1):
                return


@dataclasses.dataclass
class Sample:
    minutes: float
    calls: float        # a second
    p99: float          # ms
    resident: int       # KiB
    descriptors: int
    threads: int
    database: float     # MiB, with its log
    mails: int


def sample(service, relay, outcomes, began, interval):
    seconds = outcomes.take_seconds()
    process = pathlib.Path(f"/proc/{service.process.child.pid}")
    size = sum(file.stat().st_size for file in service.state_dir.glob("*.db*"))
    return Sample((time.monotonic() - began) / 60, len(seconds) / interval,
                  1000 * seconds[len(seconds) * 99 // 100] if seconds else 0, service.resident_kib(),
                  len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())), size / 2**20,
                  relay.taken)


def measured_rate(service, relay, world):
    """Half of what calls and mails together reach unpaced."""
    began = time.monotonic()
    outcomes = Outcomes()
    with LoadCaller(world, [service], outcomes, name="measuring", wrong=0):
        time.sleep(10)
    while service.cli("mail", "list", "--state", "queued", "--limit", "1") and time.monotonic() - began < 120:
        time.sleep(0.5)
    return outcomes, relay.taken / (time.monotonic() - began) / 2


def slope(samples, member):
    """By the hour, over the second half and a little: what fills at the start (caches, arenas) has filled."""
    late = samples[len(samples) * 2 // 5:]
    return statistics.linear_regression([s.minutes / 60 for s in late], [getattr(s, member) for s in late]).slope, late


def judge(samples):
    """What is not flat."""
    problems = []
    growth, late = slope(samples, "resident")
    hours = (late[-1].minutes - late[0].minutes) / 60
    if growth > KIB_AN_HOUR and growth * hours > KIB_ANYWAY:
        problems.append(f"memory grows by {growth:.0f} KiB an hour")
    middle = len(late) // 2
    if max(s.descriptors for s in late[middle:]) > max(s.descriptors for s in late[:middle]) + DESCRIPTORS:
        problems.append("descriptors grow")
    if max(s.threads for s in late[middle:]) > max(s.threads for s in late[:middle]):
        problems.append("threads grow")
    first, last = (statistics.median(s.p99 for s in part) for part in (late[:middle], late[middle:]))
    if last > 1.5 * first + 10:
        problems.append(f"p99 grows from {first:.1f} to {last:.1f} ms")
    print(f"\nfrom minute {late[0].minutes:.0f} on: memory {growth:+.0f} KiB an hour, p99 {first:.1f} ms in its first "
          f"half and {last:.1f} ms in its second, descriptors {min(s.descriptors for s in late)} to "
          f"{max(s.descriptors for s in late)}")
    return problems


def lost(database, outcomes, before):
    """Compares who was answered "done" with who is stored, and what must not be."""
    stored = {hash(row) for row in database.rows("SELECT environment_id, invitee_key FROM invitation")}
    done = outcomes.intentions[DONE]
    problems = []
    if done - stored:
        problems.append(f"{len(done - stored)} done, but not stored")
    asked = done | outcomes.intentions[UNKNOWN] | before.intentions[DONE] | before.intentions[UNKNOWN]
    if stored - asked:
        problems.append(f"{len(stored - asked)} stored, but never asked for or refused")
    states = dict(database.rows("SELECT state, count(*) FROM outbox_message GROUP BY state"))
    untried = database.rows("SELECT count(*) FROM outbox_message WHERE state = 'queued' AND attempts = 0")[0][0]
    problems += database.damage()
    print(f"{len(stored)} invitations, none lost; mails: " if not problems else "mails: ", end="")
    print(", ".join(f"{count} {state}" for state, count in sorted(states.items())), f"({untried} not yet tried)")
    return problems


def age(minutes, rate):
    relay = AgeingRelay()
    with relay, Service.serve({**NO_RATES, **REPEATS, "rates.wrong_passwords_per_minute": 10, "log.level": "warning",
                               **relay.settings()}) as service:
        world = World(service)
        before, half = measured_rate(service, relay, world)
        rate = rate or half
        relay.faulty = True
        outcomes = Outcomes()
        interval = max(5.0, minutes)  # some sixty lines
        print(f"{rate:.0f} calls a second for {minutes:g} minutes\n\n"
              "minute  calls/s   p99 ms  memory KiB  descriptors  threads  database MiB     mails", flush=True)
        samples = []
        with LoadCaller(world, [service], outcomes, rate=rate, wrong=FAULTS), \
                Vandals(service, rate * FAULTS) as vandals:
            began = time.monotonic()
            while time.monotonic() - began < 60 * minutes:
                time.sleep(interval)
                now = sample(service, relay, outcomes, began, interval)
                samples.append(now)
                print(f"{now.minutes:6.1f}  {now.calls:7.0f}  {now.p99:7.1f}  {now.resident:10d}  "
                      f"{now.descriptors:11d}  {now.threads:7d}  {now.database:12.1f}  {now.mails:8d}", flush=True)
        counts = ", ".join(f"{count} {name}" for name, count in outcomes.counts.items())
        print(f"\ncalls: {counts}; {vandals.done} broken, slow or silent clients; the relay "
              f"deferred {relay.deferred}, rejected {relay.rejected} and broke {relay.broken} connections")
        problems = judge(samples)
        service.stop()
        [file] = service.state_dir.glob("*.db")
        problems += lost(SqliteDatabase(file), outcomes, before)
    for problem in problems:
        print(f"NOT FLAT OR NOT WHOLE: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("minutes", nargs="?", type=float, default=60)
    parser.add_argument("--rate", type=float, help="calls a second, instead of half of what is measured")
    options = parser.parse_args()
    sys.exit(age(options.minutes, options.rate))
