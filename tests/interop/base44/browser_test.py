"""Base44's client package in a real browser, in a page of another origin: it can call where the operator named that origin
(preflights, the headers that the package adds in browsers, errors that it can read), and nowhere else.
"""

import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import end_to_end
import json_clients
from invited_service import NO_RATES, Service

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]
TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}


class App(http.server.ThreadingHTTPServer):
    """Serves the page and the packages that it imports; takes its result."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), AppHandler)
        self.question, self.results = {}, queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class AppHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        root = end_to_end.node_modules("interop").parent
        file = HERE / "page.html" if self.path == "/" else root / self.path.lstrip("/")
        if self.path == "/question":
            self.answer(json.dumps(self.server.question).encode(), "application/json")
        elif file.is_file():
            self.answer(file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))
        else:
            self.send_error(404)

    def do_POST(self):
        self.server.results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"", "text/plain")

    def answer(self, body, content_type):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class BrowserTest(unittest.TestCase):
    def visit(self, app, host):
        """Opens the page under that name of its host, which makes another origin of it; returns what it found."""
        with tempfile.TemporaryDirectory(prefix="invited-base44-", ignore_cleanup_errors=True) as profile:
            browser = subprocess.Popen([shutil.which("chromium"), *FLAGS, f"--user-data-dir={profile}",
                                        f"http://{host}:{app.server_port}/"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True,
                                       env={**os.environ, "HOME": profile, "XDG_CONFIG_HOME": profile,
                                            "XDG_CACHE_HOME": profile})
            try:
                return app.results.get(timeout=90)
            finally:
                os.killpg(browser.pid, signal.SIGKILL)  # its helpers write into the folder until they end
                browser.wait()

    def test_pages_of_the_origin_that_was_named_can_call_and_no_others(self):
        with App() as app:
            self.check(app)

    def check(self, app):
        settings = {**NO_RATES, "http.cors_origins": [f"http://127.0.0.1:{app.server_port}"]}
        with Service.serve(settings) as service:
            for dialect in ("base44", "base44-runtime"):
                service.cli("role", "map", "--app", service.app_uuid, "--dialect", dialect, "--name", "user", "--role",
                            service.role_uuid)
            app.question = {"serverUrl": service.base_url, "token": json_clients.add_token(service)}

            stranger = self.visit(app, "localhost")
            self.assertEqual([(one["done"], one.get("status")) for one in stranger.values()], [(False, None)] * 5,
                             stranger)
            self.assertEqual(service.cli("invitation", "list"), [])

            found = self.visit(app, "127.0.0.1")
            invitation, = service.cli("invitation", "list")
            self.assertEqual(found["invited"]["answer"]["id"], invitation["invitation_uuid"], found)
            self.assertEqual(found["me"]["answer"]["email"], service.inviter_email)
            self.assertEqual((found["refused"]["status"], found["refused"]["code"]), (400, "invalid_email_address"))
            self.assertEqual((found["anonymous"]["status"], found["anonymous"]["code"]),
                             (401, "authentication_failed"))
            self.assertEqual(found["tooLarge"]["answer"]["status"], 413)
            self.assertIsInstance(found["tooLarge"]["answer"]["message"], str)


if __name__ == "__main__":
    json_clients.need_package("@base44/sdk")
    shutil.which("chromium") or end_to_end.skip("chromium is not installed")
    end_to_end.main()
