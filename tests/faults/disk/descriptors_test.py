"""D29: file descriptors run out. Accepting pauses without a busy loop, what is under way goes on, and it recovers."""

import contextlib
import http.client
import os
import pathlib
import resource
import socket
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "support")]

import captured_mail
import end_to_end
import soap_client
from invited_service import NO_RATES, Service, wait_until

TICKS = os.sysconf("SC_CLK_TCK")


class DescriptorsRunOut(unittest.TestCase):
    def serve(self):
        service = Service.serve({**NO_RATES, "http.idle_timeout": "5m"},
                                command_prefix=("prlimit", "--nofile=64:64"))
        self.pid = service.process.child.pid
        return service

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def open_sockets(self):
        kept = 0
        for descriptor in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                kept += os.readlink(f"/proc/{self.pid}/fd/{descriptor}").startswith("socket:")
        return kept

    def allow(self, count):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, 64))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def call(self, service, connection, invitee):
        """SendInvite over a connection that is kept."""
        body = soap_client.envelope(service.invite_parameters(invitee))
        connection.request("POST", soap_client.PATH, body.encode("utf-8"), soap_client.soap_headers())
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def test_d29_accepting_pauses_work_goes_on_and_it_recovers(self):
        with self.serve() as service:
            # More callers than there may be: the rest is told so, or waits, and nobody who is in is thrown out.
            kept = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
            self.assertEqual(self.call(service, kept, "first@example.org"), 200)
            sockets = self.open_sockets()
            idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(100)]
            wait_until(lambda: self.open_descriptors() >= 50, 10, "descriptors in use")
            self.assertEqual(self.call(service, kept, "crowded@example.org"), 200)
            for client in idle:
                client.close()

            # None left at all: what is accepted next cannot have one.
            wait_until(lambda: service.request("GET", "/healthz").status == 200, 10, "an answer to a new connection")
            # The service, too, has closed them: one that it closes a moment later leaves a place.
            wait_until(lambda: self.open_sockets() <= sockets, 10, "the end of all connections but one")
            before = service.process.log_length()
            self.allow(self.open_descriptors())
            waiting = socket.create_connection(("127.0.0.1", service.port))
            waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            service.process.await_log(r"http\.", start=before)
            cpu, began = self.cpu_seconds(), time.monotonic()
            while time.monotonic() - began < 2:
                self.assertEqual(self.call(service, kept, f"meanwhile-{time.monotonic_ns()}@example.org"), 200)
                time.sleep(0.2)
            spent = (self.cpu_seconds() - cpu) / (time.monotonic() - began)
            lines = service.process.log_length() - before
            print(f"\n  without descriptors: {spent * 100:.0f} % of a core, {lines} lines of log", flush=True)
            self.assertLess(spent, 0.25, "a busy loop")
            # Though the mail that is being sent may give back the last descriptor and take it again.
            self.assertEqual(len([line for line in service.process.log_text().splitlines()[before:] if " http." in line]), 1)

            # And there are some again: who waited is answered, mail that could not leave leaves.
            self.allow(64)
            waiting.settimeout(10)
            self.assertIn(b"200 OK", waiting.recv(1000))
            waiting.close()
            # Where a mail met the shortage the queue is held, and probed by itself half a minute later.
            service.cli("mail", "retry", "--all")
            captured_mail.await_mail(service.mail_dir, "crowded@example.org")
            self.assertFalse(service.send_invite("after@example.org").fault)
            captured_mail.await_mail(service.mail_dir, "after@example.org")
            kept.close()


if __name__ == "__main__":
    end_to_end.main()
