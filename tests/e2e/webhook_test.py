"""Webhooks with the real program: every event of an invitation's life and of access is told, once, by the command line
and by SOAP; what fails is tried again, shown and replayed; private addresses are refused unless allowed; nothing that
was owed is lost when the process dies."""

import pathlib
import signal
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service, wait_until
from webhook_receiver import Receiver

COLLEAGUE = "colleague@example.org"
ALLOWED = {**NO_RATES, "webhook.allow_private": "true"}


def add_webhook(service, receiver, *options):
    return service.cli("webhook", "add", "--environment", service.environment_uuid, "--url", receiver.url, *options)


def access(service, verb):
    """Gives or takes a role of somebody who has none."""
    if verb == "grant":
        service.cli("account", "add", "--email", COLLEAGUE, "--name", "Col League")
    service.cli("access", verb, "--environment", service.environment_uuid, "--email", COLLEAGUE, "--role",
                service.other_role_uuid)


def deliveries(service, state):
    return service.cli("webhook", "deliveries", "--state", state)


def await_deliveries(service, state, count):
    return wait_until(lambda: len(found := deliveries(service, state)) >= count and found,
                      what=f"{count} deliveries that are {state}")


class WebhookTest(unittest.TestCase):
    def test_the_whole_life_of_invitations_and_access_is_told(self):
        with Service.serve(ALLOWED) as service, Receiver() as receiver:
            add_webhook(service, receiver)
            service.send_invite("ada@example.org")
            created, delivered = receiver.await_types("invitation.created", "invitation.delivered")
            data = created.event["data"]
            self.assertEqual(data["email"], "ada@example.org")
            self.assertEqual(data["inviter_email"], service.inviter_email)
            self.assertEqual(data["environment_uuid"], service.environment_uuid)
            self.assertEqual(data["roles"], [{"role_uuid": service.role_uuid, "name": service.role_name}])
            self.assertEqual(data["state"], "pending")
            self.assertEqual(delivered.event["data"]["invitation_uuid"], data["invitation_uuid"])
            service.cli("invitation", "resend", data["invitation_uuid"])
            [resent] = receiver.await_types("invitation.resent")
            self.assertEqual(resent.event["data"]["generation"], 2)
            service.cli("invitation", "revoke", data["invitation_uuid"])
            receiver.await_types("invitation.revoked")
            access(service, "grant")
            access(service, "revoke")
            granted, withdrawn = receiver.await_types("access.granted", "access.withdrawn")
            self.assertEqual(granted.event["data"]["email"], COLLEAGUE)
            self.assertEqual(withdrawn.event["data"]["roles"][0]["role_uuid"], service.other_role_uuid)
            wait_until(lambda: not deliveries(service, "queued"), what="everything is told")
            ids = [one.id for one in receiver.deliveries]
            self.assertEqual(len(ids), len(set(ids)))
            log = service.process.log_text()
            self.assertNotIn("ada@example.org", "".join(line for line in log.splitlines() if "webhook" in line))

    def test_an_invitation_that_expires_is_told_of_once_and_stays_as_it_is(self):
        with Service.serve({**ALLOWED, "invitation.lifetime": "1s"}) as service, Receiver() as receiver:
            add_webhook(service, receiver, "--event", "invitation.expired")
            service.send_invite("late@example.org")
            [expired] = receiver.await_types("invitation.expired")
            self.assertEqual(expired.event["data"]["state"], "expired")
            service.stop()
            service.start()
            service.send_invite("later@example.org")
            receiver.await_count(2)
            told = [one.event["data"]["email"] for one in receiver.deliveries]
            self.assertEqual(sorted(told), ["late@example.org", "later@example.org"])

    def test_no_payload_holds_what_stands_in_the_mail(self):
        with Service.serve(ALLOWED) as service, Receiver() as receiver:
            add_webhook(service, receiver)
            service.send_invite("ada@example.org")
            receiver.await_types("invitation.created", "invitation.delivered")
            token = captured_mail.await_mail(service.mail_dir, "ada@example.org").token
            for one in receiver.deliveries:
                self.assertNotIn(token.encode(), one.body)
                self.assertNotIn(b"://", one.body)

    def test_what_fails_is_shown_with_its_payload_and_each_attempt(self):
        with Service.serve(ALLOWED) as service, Receiver(status=500) as receiver:
            add_webhook(service, receiver, "--event", "invitation.created")
            service.send_invite("ada@example.org")
            [first] = receiver.await_count(1)
            service.process.await_log(r"webhook\.deferred")
            [owed] = deliveries(service, "queued")
            shown = service.cli("webhook", "show", owed["delivery_uuid"])
            self.assertEqual(shown["payload"].encode(), first.body)
            self.assertEqual([attempt["http_status"] for attempt in shown["attempts"]], [500])
            self.assertIn("500", owed["last_error"])

    def test_a_receiver_that_is_gone_is_told_no_more_and_can_be_brought_back(self):
        with Service.serve(ALLOWED) as service, Receiver(status=410) as receiver:
            hook = add_webhook(service, receiver, "--event", "invitation.created")
            service.send_invite("ada@example.org")
            [cancelled] = await_deliveries(service, "cancelled", 1)
            [listed] = service.cli("webhook", "list")
            self.assertTrue(listed["disabled"])
            self.assertIn("410", listed["disabled_reason"])
            service.send_invite("bob@example.org")
            receiver.status = 200
            service.cli("webhook", "enable", hook["webhook_uuid"])
            self.assertEqual(service.cli("webhook", "replay", "--all", "--state", "cancelled"), {"replayed": 1})
            await_deliveries(service, "done", 1)
            self.assertEqual([one.id for one in receiver.deliveries], [cancelled["delivery_uuid"]] * 2)
            service.cli("webhook", "replay", cancelled["delivery_uuid"])
            self.assertEqual(receiver.await_count(3)[2].body, receiver.deliveries[0].body)

    def test_private_addresses_are_refused_unless_the_setting_allows_them(self):
        with Service.serve(NO_RATES) as service, Receiver() as receiver:
            with self.assertRaisesRegex(Exception, "https"):
                add_webhook(service, receiver)
            service.cli("webhook", "add", "--environment", service.environment_uuid, "--url",
                        f"https://localhost:{receiver.port}/")
            service.send_invite("ada@example.org")
            service.process.await_log(r"webhook\.deferred.*webhook\.allow_private")
            self.assertEqual(receiver.deliveries, [])

    def test_what_was_told_when_the_process_died_is_told_again_with_the_same_id(self):
        with Service.serve(ALLOWED) as service, Receiver() as receiver:
            add_webhook(service, receiver, "--event", "access.granted")
            service.stop()
            access(service, "grant")
            self.assertEqual(receiver.deliveries, [])
            service.launch({"INVITED_FAILPOINT": "call_made"})
            self.assertEqual(service.process.wait(), -signal.SIGKILL)
            service.start()
            first, second = receiver.await_count(2)
            self.assertEqual(first.id, second.id)
            self.assertEqual(first.body, second.body)
            await_deliveries(service, "done", 1)


if __name__ == "__main__":
    end_to_end.main()
