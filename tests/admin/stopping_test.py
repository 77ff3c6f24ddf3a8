"""The real program ends: what probes, callers and apps see of it, and within what time."""

import contextlib
import http.client
import pathlib
import signal
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
import soap_client
from invited_service import NO_RATES, Service, wait_until


class TheServiceEnds(unittest.TestCase):
    def test_within_its_time_whatever_clients_do_and_with_0(self):
        with Service.serve({"shutdown_timeout": "2s"}) as service:
            with socket.create_connection(("127.0.0.1", service.port)) as stuck, \
                    socket.create_connection(("127.0.0.1", service.port)) as idle:
                stuck.sendall(b"POST /ws/InviteAPI/1/soap1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
                              b"Content-Length: 100\r\n\r\n<half")
                idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200", idle.recv(4096))
                self.assertEqual(service.process.end(signal.SIGTERM, timeout=10), 0)

    def test_at_once_where_nothing_is_under_way(self):
        with Service.serve() as service:
            self.assertFalse(service.send_invite("ada@example.org").fault)
            self.assertEqual(service.process.end(signal.SIGTERM, timeout=5), 0)
            self.assertIn("service.stopped all_answered=true", service.process.log_text())
            self.assertFalse((service.state_dir / "admin.sock").exists())
            self.assertFalse((service.state_dir / "invited.db-wal").exists())


class Stopping(unittest.TestCase):
    @staticmethod
    def await_refusal(service):
        def is_refused():
            try:
                socket.create_connection(("127.0.0.1", service.port), timeout=20).close()
            except ConnectionRefusedError:
                return True
            return False
        wait_until(is_refused, what="the end of listening")

    def test_while_an_app_is_being_called_it_is_not_ready_and_goes_on(self):
        """Such apps ask back. Who asks for readiness sends no more; what comes all the same is carried out."""
        with Service.serve(NO_RATES) as service, socket.socket() as app:
            app.bind(("127.0.0.1", 0))
            app.listen()
            app.settimeout(20)
            service.cli("environment", "set", service.environment_uuid, "--refresh-url",
                        f"http://127.0.0.1:{app.getsockname()[1]}/ws/RefreshAPI")
            service.cli("account", "add", "--email", "ada@example.org", "--name", "Ada")
            service.cli("access", "grant", "--environment", service.environment_uuid, "--email", "ada@example.org",
                        "--role", service.role_uuid)
            call, _ = app.accept()
            with call, contextlib.closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)) as kept:
                def ask(path, *request):
                    kept.request("POST" if request else "GET", path, *request)
                    answer = kept.getresponse()
                    return answer.status, answer.read()
                self.assertEqual(ask("/readyz"), (200, b"ready\n"))
                service.process.child.send_signal(signal.SIGTERM)
                self.assertEqual(wait_until(lambda: (said := ask("/readyz"))[0] != 200 and said, what="the drain"),
                                 (503, b"not ready: stopping\n"))
                self.assertEqual(ask("/healthz")[0], 200)
                invite = soap_client.envelope(service.invite_parameters("guest@example.org")).encode()
                self.assertEqual(ask(soap_client.PATH, invite, soap_client.soap_headers())[0], 200)
            self.assertEqual(service.process.wait(), 0)
            self.assertIn("service.stopped all_answered=true", service.process.log_text())
            self.assertEqual([one["invitee_email"] for one in service.cli("invitation", "list")], ["guest@example.org"])

    def test_while_a_request_is_under_way_nobody_else_is_let_in(self):
        with Service.serve() as service:
            body = soap_client.envelope(service.invite_parameters("guest@example.org")).encode()
            with socket.create_connection(("127.0.0.1", service.port), timeout=20) as slow, \
                    socket.create_connection(("127.0.0.1", service.port), timeout=20) as idle:
                idle.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertTrue(idle.recv(4096).startswith(b"HTTP/1.1 200 "))
                slow.sendall(b"POST /ws/InviteAPI/1/soap1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
                             b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
                self.assertTrue(slow.recv(4096).startswith(b"HTTP/1.1 100 "), "it has begun to read")
                service.process.child.send_signal(signal.SIGTERM)
                self.await_refusal(service)
                self.assertEqual(idle.recv(4096), b"", "what has nothing under way is closed")
                slow.sendall(body)
                answer = slow.recv(4096)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
                self.assertIn(b"\r\nConnection: close\r\n", answer)
            self.assertEqual(service.process.wait(), 0)
            self.assertIn("service.stopped all_answered=true", service.process.log_text())

    def test_new_certificates_meanwhile_do_not_break_off_what_is_under_way(self):
        """A certificate's renewal sends SIGHUP whenever it likes."""
        with Service.serve() as service:
            host, port = service.base_url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=20) as client:
                client.sendall(b"POST /ws/InviteAPI/1/soap1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
                               b"Content-Length: 8\r\nExpect: 100-continue\r\n\r\n")
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 100 "), "it has begun to read")
                client.sendall(b"<no")
                service.process.child.send_signal(signal.SIGTERM)
                wait_until(lambda: "service.stopping" in service.process.log_text(), what="the stop to begin")
                service.process.child.send_signal(signal.SIGHUP)
                client.sendall(b"-soap")
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 400 "))
            self.assertEqual(service.process.child.wait(30), 0)
            wait_until(lambda: "service.stopped" in service.process.log_text(), what="the last line of the log")


if __name__ == "__main__":
    end_to_end.main()
