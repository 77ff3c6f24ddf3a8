"""Rows A of the hostile cases, over the wire with the real program: guessing, locking out, timing, revoking."""

import http.client
import multiprocessing
import pathlib
import secrets
import socket
import statistics
import sys
import threading
import time
import unicodedata
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
import soap_client
import timing
import web_client
from invited_service import NO_RATES, Service, wait_until

UNKNOWN = "4e3b7d32-51c4-4a4b-9f8e-0a4a1b2c3d4e"


class Caller:
    """One kept-alive connection, from an address of its own if wanted. A context manager."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __init__(self, service, source="127.0.0.1"):
        self.service = service
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30, source_address=(source, 0))

    def post(self, body):
        """(status, body, nanoseconds)"""
        began = time.perf_counter_ns()
        self.connection.request("POST", soap_client.PATH, body, soap_client.soap_headers())
        answer = self.connection.getresponse()
        data = answer.read()
        return answer.status, data, time.perf_counter_ns() - began

    def invite(self, invitee, **changes):
        body = soap_client.envelope(self.service.invite_parameters(invitee, **changes)).encode()
        return self.post(body)


def with_brought_password(service, password):
    """The UUID of an environment whose password is the operator's own."""
    uuid = service.cli("environment", "add", "--app", service.app_uuid, "--name", "brought", "--password-stdin",
                       stdin=password + "\n")["environment_uuid"]
    service.cli("access", "grant", "--environment", uuid, "--email", service.inviter_email, "--role", service.role_uuid)
    return uuid


class NothingIsLearnt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.disabled = cls.service.cli("environment", "add", "--app", cls.service.app_uuid, "--name", "disabled")
        cls.service.cli("environment", "disable", cls.disabled["environment_uuid"])
        right = cls.service.environment_password
        almost = right[:-1] + ("A" if right[-1] != "A" else "B")
        cls.cases = {
            "unknown": {"EnvironmentUUID": UNKNOWN, "EnvironmentPassword": almost},
            # Made as all others are: 43 times the same letter is read a little faster.
            "wrong": {"EnvironmentPassword": secrets.token_urlsafe(32)},
            "last byte wrong": {"EnvironmentPassword": almost},
            "disabled, right": {"EnvironmentUUID": cls.disabled["environment_uuid"],
                                "EnvironmentPassword": cls.disabled["environment_password"]},
            "disabled, wrong": {"EnvironmentUUID": cls.disabled["environment_uuid"], "EnvironmentPassword": almost},
        }

    def test_from_the_fault_of_unknown_wrong_or_disabled(self):
        """A01: every byte of the answer but its Date is the same."""
        answers = {}
        for name, changes in self.cases.items():
            response = self.service.send_invite("a01@example.org", **changes).response
            headers = tuple((key, value) for key, value in response.headers.items() if key.lower() != "date")
            answers[name] = (response.status, headers, response.body)
        self.assertEqual(len(set(answers.values())), 1, answers)

    def test_from_the_time_it_takes(self):
        """A01, A02. The short form asserts no more than that no difference can be seen with bare eyes."""
        caller = Caller(self.service)
        self.addCleanup(caller.connection.close)
        bodies = {name: soap_client.envelope(self.service.invite_parameters("a01@example.org", **changes)).encode()
                  for name, changes in self.cases.items()}
        medians, differences = timing.compare(
            {name: lambda body=body: caller.post(body)[2] for name, body in bodies.items()}, "wrong",
            end_to_end.rounds(1500, 100_000))
        self.assertLess(max(medians.values()), 1.5 * min(medians.values()))
        if end_to_end.IS_LONG_FORM:
            self.assertLess(max(map(abs, differences.values())), timing.NO_DIFFERENCE, differences)

    def test_from_being_slowed_down(self):
        """Eleven wrong passwords in a row: unknown, known and disabled environments are slowed down alike."""
        with Service.serve({"rates.inviter_per_hour": 0}) as service:
            codes = {}
            for name, uuid in (("known", service.environment_uuid), ("unknown", UNKNOWN)):
                codes[name] = [service.send_invite("x@example.org", EnvironmentUUID=uuid, EnvironmentPassword="wrong").code
                               for _ in range(12)]
            self.assertEqual(codes["known"], codes["unknown"])
            self.assertEqual(codes["known"][:10], ["authentication_failed"] * 10)
            self.assertEqual(codes["known"][10], "rate_limited")
            # The right password gets through, from the same address, while wrong ones are slowed down.
            self.assertFalse(service.send_invite("x@example.org").fault)


class OddPasswordsAreRefused(unittest.TestCase):
    def test_cheaply_and_as_wrong_ones(self):
        """A03, of an environment whose password was brought: the only ones that Argon2 runs for."""
        right = "Geheimnis-für-alle"
        with Service.serve(NO_RATES) as service:
            brought = with_brought_password(service, right)
            calls = 20

            def cpu(password, code):
                """The service's ticks, mostly of 10 ms, for so many calls."""
                def ticks():
                    fields = pathlib.Path(f"/proc/{service.process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
                    return int(fields[11]) + int(fields[12])
                before = ticks()
                for _ in range(calls):
                    answer = service.send_invite("x@example.org", EnvironmentUUID=brought, EnvironmentPassword=password)
                    self.assertEqual((answer.code, answer.status), (code, 500), password[:5])
                return ticks() - before

            hashed = cpu("Geheimnis-fur-alle", "authentication_failed")
            self.assertGreater(hashed, calls / 2, "Argon2 takes more than 5 ms")
            for password, code in (("", "authentication_failed"), ("x" * 129, "authentication_failed"),
                                   ("x" * 1024, "authentication_failed"), ("x" * 1025, "malformed_request")):
                self.assertLess(cpu(password, code), hashed / 4, password[:5])
            body = soap_client.envelope(service.invite_parameters("x@example.org", EnvironmentUUID=brought,
                                                                  EnvironmentPassword="NUL"))
            for nul in ("a&#0;b", "a\0b"):
                answer = soap_client.post(service.port, body.replace("NUL", nul))
                self.assertEqual((answer.status, answer.code), (400, "malformed_request"))
            huge = web_client.request(service.port, "POST", soap_client.PATH,
                                      body.replace("NUL", "x" * (1 << 20)), soap_client.soap_headers())
            self.assertEqual(huge.status, 413)
            for spelled in (right, unicodedata.normalize("NFD", right)):
                answer = service.send_invite("good@example.org", EnvironmentUUID=brought, EnvironmentPassword=spelled)
                self.assertFalse(answer.fault, answer)


class PasswordsAreRotated(unittest.TestCase):
    def test_both_work_during_the_overlap_and_the_old_one_not_after_it(self):
        """A04."""
        with Service.serve(NO_RATES) as service:
            old = service.environment_password
            new = service.cli("environment", "rotate-password", service.environment_uuid, "--overlap",
                              "3s")["environment_password"]
            rotated = time.monotonic()
            self.assertNotEqual(old, new)
            for password in (old, new):
                self.assertFalse(service.send_invite("x@example.org", EnvironmentPassword=password).fault)
            while not service.send_invite("x@example.org", EnvironmentPassword=old).fault:
                self.assertLess(time.monotonic() - rotated, 8)
                time.sleep(0.05)
            self.assertGreater(time.monotonic() - rotated, 2.5)
            self.assertFalse(service.send_invite("x@example.org", EnvironmentPassword=new).fault)
            newest = service.cli("environment", "rotate-password", service.environment_uuid, "--overlap",
                                 "0s")["environment_password"]
            self.assertEqual(service.send_invite("x@example.org", EnvironmentPassword=new).code, "authentication_failed")
            self.assertFalse(service.send_invite("x@example.org", EnvironmentPassword=newest).fault)

    def test_a_password_of_the_operators_own_works_too(self):
        with Service.serve(NO_RATES) as service:
            brought = with_brought_password(service, "Geheimnis-für-alle")
            answer = service.send_invite("own@example.org", EnvironmentUUID=brought,
                                         EnvironmentPassword="Geheimnis-für-alle")
            self.assertFalse(answer.fault, answer)
            self.assertEqual(service.send_invite("own@example.org", EnvironmentUUID=brought,
                                                 EnvironmentPassword="Geheimnis").code, "authentication_failed")


class AccessEnds(unittest.TestCase):
    def test_within_five_seconds_of_disabling_an_environment_under_load(self):
        """A05, with one instance."""
        with Service.serve(NO_RATES) as service:
            last_success = [0.0] * 4
            stop = threading.Event()

            def load(number):
                count = 0
                with Caller(service) as caller:
                    while not stop.is_set():
                        status, _, _ = caller.invite(f"load{number}-{count}@example.org")
                        count += 1
                        if status == 200:
                            last_success[number] = time.monotonic()
                        elif last_success[number]:
                            return
            threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            while not all(last_success):
                time.sleep(0.01)
            service.cli("environment", "disable", service.environment_uuid)
            disabled = time.monotonic()
            for thread in threads:
                thread.join(10)
            stop.set()
            self.assertLess(max(last_success) - disabled, 5)
            print(f"\n  last success {max(last_success) - disabled:+.3f} s after the disabling was confirmed", flush=True)
            self.assertEqual(service.send_invite("x@example.org").code, "authentication_failed")

    def test_at_once_for_an_inviter_who_is_disabled(self):
        """A09."""
        with Service.serve(NO_RATES) as service:
            self.assertFalse(service.send_invite("one@example.org").fault)
            service.cli("account", "disable", "--email", service.inviter_email)
            self.assertEqual(service.send_invite("two@example.org").code, "inviter_without_access")
            service.cli("account", "enable", "--email", service.inviter_email)
            self.assertFalse(service.send_invite("two@example.org").fault)
            service.cli("access", "revoke", "--environment", service.environment_uuid, "--email", service.inviter_email,
                        "--role", service.other_role_uuid)
            self.assertEqual(service.send_invite("three@example.org").code, "inviter_without_access")


END_OF_ANSWER = b"</SOAP-ENV:Envelope>"


def guess(port, source, request, per_second, stopping, answered):
    """Calls over one connection from an address of its own, many behind each other, so that asking costs this machine
    less than answering. A process of its own."""
    behind_each_other = 20
    with socket.create_connection(("127.0.0.1", port), source_address=(source, 0)) as connection:
        began = time.monotonic()
        while not stopping.is_set():
            connection.sendall(request * behind_each_other)
            missing, rest = behind_each_other, b""
            while missing:
                received = connection.recv(1 << 16)
                if not received or b"HTTP/1.1 200" in received:
                    raise AssertionError(received)
                missing -= (rest + received).count(END_OF_ANSWER)
                rest = (rest + received)[1 - len(END_OF_ANSWER):]
            answered.value += behind_each_other
            time.sleep(max(0, began + answered.value / per_second - time.monotonic()))


class Guessers:
    """So many of them, and how many a second they got answered. A context manager."""

    def __init__(self, service, number, per_second):
        processes = multiprocessing.get_context("spawn")
        self.stopping = processes.Event()
        body = soap_client.envelope(service.invite_parameters("x@example.org", EnvironmentPassword="guess")).encode()
        headers = {"Host": f"127.0.0.1:{service.port}", "Content-Length": len(body), **soap_client.soap_headers()}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.answered = [processes.Value("q", 0, lock=False) for _ in range(number)]
        self.children = [processes.Process(target=guess, args=(service.port, f"127.0.0.{which + 2}",
                                                               f"POST {soap_client.PATH} HTTP/1.1\r\n{head}\r\n".encode()
                                                               + body, per_second / number, self.stopping, answered))
                         for which, answered in enumerate(self.answered)]

    def __enter__(self):
        for child in self.children:
            child.start()
        wait_until(lambda: all(answered.value for answered in self.answered), what="the first guesses")
        self.since = time.monotonic(), self.total()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for child in self.children:
            child.join()

    def total(self):
        return sum(answered.value for answered in self.answered)

    def per_second(self):
        began, first = self.since
        return (self.total() - first) / (time.monotonic() - began)


class NobodyIsLockedOut(unittest.TestCase):
    def right_ones(self, service, prefix, number):
        """Nanoseconds of each of so many calls, 100 a second, all of which pass."""
        times = []
        with Caller(service) as caller:
            began = time.monotonic()
            for which in range(number):
                status, answer, took = caller.invite(f"{prefix}-{which}@example.org")
                self.assertEqual(status, 200, answer)
                times.append(took)
                time.sleep(max(0, began + which * 0.01 - time.monotonic()))
        return times

    def test_while_somebody_else_guesses_passwords_as_fast_as_they_can(self):
        """A06, from addresses of their own. Measured in turns, since the machine's neighbours come and go."""
        limits = {name: value for name, value in NO_RATES.items() if "wrong_passwords" not in name}
        turns, calls = end_to_end.rounds((1, 200), (5, 1000))
        guessers, per_second = end_to_end.rounds((2, 2000), (4, 10_000))
        alone, beside, guessed = [], [], []
        with Service.serve(limits) as service:
            for turn in range(turns):
                alone += self.right_ones(service, f"alone{turn}", calls)
                with Guessers(service, guessers, per_second) as others:
                    beside += self.right_ones(service, f"beside{turn}", calls)
                    guessed.append(others.per_second())
                for child in others.children:
                    self.assertEqual(child.exitcode, 0)
        slowest = {}
        for name, times in (("alone", alone), ("beside", beside)):
            slowest[name] = statistics.quantiles(times, n=100)[98] / 1e6
            print(f"\n  the right ones {name}: median {statistics.median(times) / 1e6:.2f} ms, p99 {slowest[name]:.2f} ms",
                  end="")
        print(f"\n  {min(guessed):.0f} to {max(guessed):.0f} guesses/s, {guessers} guessers", flush=True)
        self.assertGreater(min(guessed), 100)
        if end_to_end.IS_LONG_FORM:
            self.assertGreater(min(guessed), 0.9 * per_second)
            self.assertLess(slowest["beside"], 2 * slowest["alone"])


if __name__ == "__main__":
    end_to_end.main()
