"""Our pages in a real browser: headless Chromium, driven by playwright-core from browser/*.test.js. This script
makes the world that they play in (services, a real SMTP relay that receives the mail) and runs them.

The scripts ask for what lies outside the browser over HTTP: POST /invite, /mail, /reset_mail and /cli, see `World`.
"""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service
from smtp_relay import Authority, Relay

HERE = pathlib.Path(__file__).resolve().parent


class World:
    """`main`: mail goes through the relay, the app speaks Dutch. `short`: links live for two seconds. `demo`: what
    `invited demo` is; its mails are files."""

    def __init__(self, folder, relay):
        settings = {**NO_RATES, **relay.settings(folder), "invitation.repeat_window": "0s"}
        self.relay = relay
        self.services = {
            "main": Service.serve({**settings, "mail.from_name": "Havenplanner"}, app_name="Havenplanner",
                                  app_language="nl"),
            "short": Service.serve({**NO_RATES, "invitation.lifetime": "2s", "invitation.repeat_window": "0s"},
                                   app_name="Harbour Planner"),
            "strict": Service.serve({**NO_RATES, "rates.wrong_links_per_5_minutes": 1}, app_name="Harbour Planner"),
            "demo": Service.demo(),
        }

    def close(self, failed):
        for service in self.services.values():
            service.__exit__(RuntimeError if failed else None, None, None)

    def facts(self):
        names = ("base_url", "role_uuid", "role_name", "inviter_email", "inviter_name", "app_name", "other_role_uuid",
                 "other_role_name", "mail_url", "wsdl_url")
        return {kind: {name: getattr(service, name, None) for name in names} for kind, service in self.services.items()}

    def invite(self, service, invitee, number=1, **changes):
        """Calls SendInvite and waits for the invitee's mail number `number`."""
        answer = self.services[service].send_invite(invitee, **changes)
        if answer.fault:
            raise AssertionError(repr(answer))
        return self.mail(service, invitee, number)

    def mail(self, service, recipient, number):
        """Waits for mail number `number` of that person."""
        mail = self._await_mail(service, recipient, number)
        return {"link": mail.link if "/i/" in mail.text else None, "subject": mail.subject, "text": mail.text,
                "html": mail.html}

    def reset_mail(self, service, recipient, number):
        """Waits for mail number `number` of that person, with a link to a new password."""
        mail = self._await_mail(service, recipient, number)
        return {"link": mail.reset_link, "subject": mail.subject, "text": mail.text, "html": mail.html}

    def _await_mail(self, service, recipient, number):
        if service == "main":
            return self.relay.await_mail(recipient, number)
        return captured_mail.await_mail(self.services[service].mail_dir, recipient, number)

    def cli(self, service, arguments):
        return self.services[service].cli(*arguments)


def serve(world):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            try:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = 200, getattr(world, self.path.strip("/"))(**question)
            except Exception as failure:  # told to the script that asked, which fails with it
                status, answer = 500, f"{type(failure).__name__}: {failure}"
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    modules = end_to_end.node_modules("e2e")
    node = shutil.which("node") or end_to_end.skip("node is not installed")
    chromium = shutil.which("chromium") or end_to_end.skip("chromium is not installed")
    screenshots = end_to_end.BUILD_DIR / "screenshots"
    shutil.rmtree(screenshots, ignore_errors=True)
    screenshots.mkdir()
    tests = sorted(str(file) for file in (HERE / "browser").glob("*.test.js"))
    with tempfile.TemporaryDirectory(prefix="invited-browser-") as folder, Relay(Authority(folder)) as relay:
        world = World(folder, relay)
        server = serve(world)
        environment = {**os.environ, "NODE_PATH": str(modules), "CHROMIUM": chromium, "SCREENSHOTS": str(screenshots),
                       "WORLD": f"http://127.0.0.1:{server.server_port}", "HOME": folder, "XDG_CONFIG_HOME": folder,
                       "XDG_CACHE_HOME": folder}
        status = 1
        try:
            status = subprocess.run([node, "--test", *tests], env=environment, timeout=280, check=False).returncode
        finally:
            world.close(failed=status != 0)
            server.shutdown()
    print(f"screenshots: {screenshots} ({len(list(screenshots.glob('*.png')))} files)")
    sys.exit(status)


if __name__ == "__main__":
    main()
