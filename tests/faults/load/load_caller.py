"""Calls SendInvite on one or several instances, over several connections, as apps do: fresh people, some with an
Idempotency-Key; the same call again; calls that must be refused; the same call again where the answer was lost. It goes
on while instances stop, die and come back. Every call stands in its log with its answer."""

import collections
import http.client
import random
import select
import threading
import time

import soap_client
import web_client
from call_log import DONE, REFUSED, UNKNOWN, Call, CallLog

# Longer than any answer of a service in order takes.
ANSWER_TIMEOUT = 30
# Calls that can be made again: younger than the repeat window (REPEATS below).
REMEMBERED = 50
# For the service under this load: the same call again is the same invitation however long the test lasts.
REPEATS = {"invitation.repeat_window": "1h"}


class LoadCaller:
    """As a context manager: calls from entering to leaving it.

    `instances` have a `port`, read anew for each connection. `rate`: calls a second, all connections together; none:
    as fast as they are answered. `keep_alive`: share of the answers after which the connection is kept. `wrong`: share
    of calls that must be refused."""

    def __init__(self, world, instances, log=None, connections=8, rate=None, keep_alive=0.75, wrong=0.08,
                 name="load"):
        self.world = world
        self.instances = list(instances)
        self.log = log or CallLog()
        self.rate = rate
        self.name = name
        self.keep_alive = keep_alive
        self.wrong = wrong
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number, connections), daemon=True)
                         for number in range(connections)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Returns when every call has its answer."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    # --- one connection after the other ---------------------------------------------------------------------

    def _run(self, number, of):
        chooser = _Chooser(self.world, f"{self.name}{number}", self.wrong)
        connection = None
        pause = of / self.rate if self.rate else 0
        next_at = time.monotonic() + random.random() * pause
        while not self._stop.is_set():
            if pause:
                now = time.monotonic()
                if now < next_at and self._stop.wait(next_at - now):
                    break
                next_at = max(next_at, now - 1) + pause
            if connection is None or _was_closed(connection):
                connection = self._connect()
                if connection is None:
                    self._stop.wait(0.01)  # nobody tells when it listens again
                    continue
            call = chooser.next()
            reusable = self._make(connection, call)
            self.log.add(call)
            chooser.note(call)
            if not reusable or random.random() > self.keep_alive:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", random.choice(self.instances).port, timeout=ANSWER_TIMEOUT)
        try:
            connection.connect()
        except OSError:
            return None  # no call was made
        return connection

    def _make(self, connection, call):
        """Makes the call and notes its answer; returns whether the connection can be used again."""
        environment = self.world.find_environment(call.environment)
        password = "a wrong password" if call.wrong == "password" else environment.password
        body = soap_client.envelope({"EnvironmentUUID": environment.uuid, "EnvironmentPassword": password,
                                     "RoleUUID": call.role, "InviteeEmailAddress": call.invitee,
                                     "InviterEmailAddress": call.inviter})
        headers = soap_client.soap_headers()
        if call.key:
            headers["Idempotency-Key"] = call.key
        call.at = time.time()
        began = time.monotonic()
        try:
            connection.request("POST", soap_client.PATH, body.encode("utf-8"), headers)
            answer = connection.getresponse()
            response = web_client.Response(answer.status, answer.msg, answer.read())
        except (OSError, http.client.HTTPException) as lost:
            call.seconds = time.monotonic() - began
            call.outcome, call.code = UNKNOWN, type(lost).__name__
            return False
        call.seconds = time.monotonic() - began
        call.outcome, call.code = judge(response)
        return not answer.will_close


def _was_closed(connection):
    """Whether the instance has closed a kept connection meanwhile: clients look before they call."""
    if not select.select([connection.sock], [], [], 0)[0]:
        return False
    connection.close()
    return True


def judge(response):
    """Outcome and code of an answer."""
    try:
        answer = soap_client.SoapAnswer(response)
    except Exception:  # not SOAP: refused before it came to that
        return (REFUSED if response.status >= 400 else UNKNOWN), f"HTTP {response.status}"
    if not answer.fault:
        return DONE, ""
    return (UNKNOWN if answer.code == "outcome_unknown" else REFUSED), answer.code


class _Chooser:
    """What one connection calls next."""

    def __init__(self, world, name, wrong):
        self.world = world
        self.name = name
        self.wrong = wrong
        self.number = 0
        self.recent = collections.deque(maxlen=REMEMBERED)
        self.elsewhere = set()
        self.again = None

    def note(self, call):
        if call.wrong:
            return
        if call.outcome != REFUSED:
            self.recent.append(call)
        # Some ask again until they know, some never learn what became of it.
        self.again = call if call.outcome == UNKNOWN and random.random() < 0.5 else None

    def next(self):
        if self.again is not None:
            return self._repeat(self.again)
        kind = random.random()
        if kind < self.wrong:
            return self._wrong()
        if self.recent and kind < self.wrong + 0.08:
            return self._repeat(random.choice(self.recent))
        if self.recent and kind < self.wrong + 0.12:
            return self._elsewhere(random.choice(self.recent))
        return self._fresh()

    def _fresh(self):
        self.number += 1
        environment = random.choice(self.world.environments)
        key = f"key {self.name} {self.number}" if random.random() < 0.4 else ""
        return Call(environment.uuid, random.choice(list(environment.app.roles)),
                    f"{self.name}-{self.number}@example.org",
                    random.choice(self.world.inviters_of(environment)).email, key)

    def _repeat(self, known):
        invitee = known.invitee.upper() if random.random() < 0.2 else known.invitee
        return Call(known.environment, known.role, invitee, known.inviter, known.key)

    def _elsewhere(self, known):
        """The same person and Idempotency-Key in another environment: nothing to do with each other."""
        call = self._fresh()
        person = known.invitee.lower()
        if call.environment != known.environment and person not in self.elsewhere:
            self.elsewhere.add(person)  # once: with another role there it would be sent anew
            call.invitee, call.key = person, known.key
        return call

    def _wrong(self):
        call = self._fresh()
        environment = self.world.find_environment(call.environment)
        call.wrong = random.choice(["password", "role", "inviter", "address", "key"])
        if call.wrong == "role":  # one of another app
            call.role = next(role for app in self.world.apps if app is not environment.app for role in app.roles)
        elif call.wrong == "inviter":
            others = [i for i in self.world.inviters if environment.uuid not in i.environments]
            call.inviter = others[0].email if others else call.invitee
        elif call.wrong == "address":
            call.invitee = f"{self.name}-{self.number} at example.org"
        elif call.wrong == "key":
            used = next((c for c in self.recent if c.key and c.outcome == DONE), None)
            if used is None:
                call.wrong = ""
            else:  # for another invitation
                call.environment, call.role = used.environment, used.role
                call.inviter, call.key = used.inviter, used.key
        return call
