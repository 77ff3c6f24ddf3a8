"""The npm package standardwebhooks against deliveries of the real program: it accepts what is ours and nothing that was
changed, and goes on accepting through a rotation of the secret. The receiver is the one that the README shows."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import end_to_end
import json_clients
from invited_service import NO_RATES, Service, free_port, wait_until
from webhook_receiver import Receiver

SETTINGS = {**NO_RATES, "webhook.allow_private": "true"}


class ReadmeReceiver:
    """receiver.mjs of the README with one secret, on a free port."""

    def __init__(self, folder, secret, port=None):
        (folder / "receiver.mjs").write_text(json_clients.block_of_readme("js receiver.mjs"), encoding="utf-8")
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process = subprocess.Popen(["node", "receiver.mjs"], cwd=folder, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PORT": str(self.port), "WEBHOOK_SECRET": secret})
        self.await_line("listening")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def await_line(self, part):
        for line in self.process.stdout:
            if part in line:
                return line.strip()
        raise AssertionError(f"receiver.mjs ended before it said {part!r}")

    def post(self, delivery, body=None, **headers):
        """The status for a delivery as it came, or changed."""
        names = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type")
        sent = {name: delivery.headers[name] for name in names} | {
            name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url, delivery.body if body is None else body, sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


class StandardWebhooksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(SETTINGS))
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="invited-webhook-")))
        json_clients.link_packages(cls.folder)

    def add(self, url, *options):
        hook = self.service.cli("webhook", "add", "--environment", self.service.environment_uuid, "--url", url,
                                *options)
        self.addCleanup(self.service.cli, "webhook", "remove", hook["webhook_uuid"])
        return hook

    def test_the_receiver_of_the_readme_takes_what_the_service_sends(self):
        port = free_port()  # the receiver needs the secret before it can listen
        hook = self.add(f"http://127.0.0.1:{port}/hooks", "--event", "invitation.created")
        with ReadmeReceiver(self.folder, hook["secret"], port) as receiver:
            self.service.send_invite("ada@example.org")
            said = receiver.await_line("invitation.created").split()
            delivered = wait_until(lambda: self.service.cli("webhook", "deliveries", "--state", "done", "--webhook",
                                                            hook["webhook_uuid"]), what="the delivery is done")
        self.assertEqual(said[1:], ["invitation.created", "ada@example.org"])
        self.assertEqual([one["delivery_uuid"] for one in delivered], said[:1])

    def test_a_delivery_of_another_webhook_is_refused(self):
        with Receiver() as recorder:
            self.add(recorder.url, "--event", "invitation.created")
            other = self.add(recorder.url, "--event", "invitation.revoked")
            self.service.send_invite("carol@example.org")
            [delivery] = recorder.await_count(1)
        with ReadmeReceiver(self.folder, other["secret"]) as receiver:
            self.assertEqual(receiver.post(delivery), 401)

    def test_what_was_changed_is_refused(self):
        with Receiver() as recorder:
            hook = self.add(recorder.url, "--event", "invitation.created")
            self.service.send_invite("bob@example.org")
            [delivery] = recorder.await_count(1)
        with ReadmeReceiver(self.folder, hook["secret"]) as receiver:
            self.assertEqual(receiver.post(delivery), 204)
            self.assertEqual(receiver.post(delivery, body=delivery.body.replace(b"bob@", b"eve@")), 401)
            self.assertEqual(receiver.post(delivery, webhook_id="0192"), 401)
            later = str(int(delivery.headers["webhook-timestamp"]) + 1)
            self.assertEqual(receiver.post(delivery, webhook_timestamp=later), 401)
            self.assertEqual(receiver.post(delivery, webhook_signature="v1,AAAA"), 401)

    def test_through_a_rotation_both_secrets_are_good(self):
        with Receiver() as recorder:
            hook = self.add(recorder.url, "--event", "invitation.created")
            rotated = self.service.cli("webhook", "rotate-secret", hook["webhook_uuid"])
            self.service.send_invite("rota@example.org")
            [delivery] = recorder.await_count(1)
        self.assertNotEqual(rotated["secret"], hook["secret"])
        for secret in (hook["secret"], rotated["secret"]):
            with ReadmeReceiver(self.folder, secret) as receiver:
                self.assertEqual(receiver.post(delivery), 204)


if __name__ == "__main__":
    json_clients.need_package("standardwebhooks")
    end_to_end.main()
