"""Mail through a real SMTP server (aiosmtpd): STARTTLS with AUTH, implicit TLS, a relay that is down, that refuses the
password, that shows the wrong certificate. Nothing is lost, nothing is sent in the clear, and it is said why."""

import datetime
import email.utils
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
from invited_service import NO_RATES, Service, binary, wait_until
from smtp_relay import Authority, Relay


class RelayTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="invited-relay-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.authority = Authority(self.folder)

    def service(self, relay, **changes):
        settings = {**NO_RATES, **relay.settings(self.folder), **changes}
        return Service.serve({name: value for name, value in settings.items() if value is not None})

    def queued(self, service):
        return service.cli("mail", "list", "--state", "queued")

    def check(self, service):
        """What `invited check` says, and its exit status."""
        result = subprocess.run([binary(), "check", "--config", str(service.config_file)], capture_output=True,
                                text=True, timeout=90, check=False)
        return result.returncode, result.stdout + result.stderr

    def await_hold(self, service):
        """Until the queue is held; the hold as `mail list --json` shows it."""
        return wait_until(lambda: next((m["hold"] for m in self.queued(service) if m["hold"]), None), 30, "the hold")


class EnvironmentsTakeTurns(RelayTest):
    def test_one_with_a_long_queue_does_not_hold_up_anothers_single_invitation(self):
        """M21."""
        with Relay(tls="off") as relay, self.service(relay, **{"mail.connections": 1}) as service:
            other = service.cli("environment", "add", "--app", service.app_uuid, "--name", "other")
            service.cli("access", "grant", "--environment", other["environment_uuid"], "--email", service.inviter_email,
                        "--role", service.other_role_uuid)
            relay.answers.clear()
            for number in range(200):
                self.assertFalse(service.send_invite(f"bulk{number}@example.org").fault)
            self.assertFalse(service.send_invite("single@example.org", EnvironmentUUID=other["environment_uuid"],
                                                 EnvironmentPassword=other["environment_password"]).fault)
            relay.answers.set()
            relay.await_mail("single@example.org")
            recipients = [mail.envelope_to[0] for mail in relay.mails()]
            self.assertLess(recipients.index("single@example.org"), 50, "behind the others in the order of their age")


class MailArrives(RelayTest):
    def test_over_starttls_with_auth_and_right_headers(self):
        with Relay(self.authority) as relay, self.service(relay, **{"mail.from_name": "Größe AG",
                                                                   "mail.reply_to": "help@invited.example"}) as service:
            self.assertFalse(service.send_invite("first@example.org").fault)
            mail = relay.await_mail("first@example.org")
            [(over_tls, mechanism)] = relay.sessions
            self.assertTrue(over_tls)
            self.assertIn(mechanism, ("PLAIN", "LOGIN"))
            self.assertEqual((mail.envelope_from, mail.envelope_to),
                             ("invitations@invited.example", ["first@example.org"]))
            self.assertEqual(mail.message["Auto-Submitted"], "auto-generated")
            self.assertEqual(email.utils.parseaddr(str(mail.message["From"])), ("Größe AG", "invitations@invited.example"))
            self.assertEqual(email.utils.parseaddr(str(mail.message["Reply-To"]))[1], "help@invited.example")
            for header in ("Message-ID", "Date", "MIME-Version", "Subject"):
                self.assertEqual(len(mail.message.get_all(header)), 1, header)
            self.assertLess(max(mail.bytes), 128)
            self.assertNotRegex(mail.bytes, rb"(?<!\r)\n|\r(?!\n)")
            self.assertEqual(service.person().open(mail.link).status, 200)
            [row] = wait_until(lambda: service.cli("mail", "list", "--state", "sent"), what="the outcome")
            self.assertIn(row["message_id"], mail.message_id)
            self.assertEqual(self.check(service)[0], 0, self.check(service)[1])

    def test_with_either_way_to_sign_in(self):
        for mechanism, other in (("PLAIN", "LOGIN"), ("LOGIN", "PLAIN")):
            with self.subTest(mechanism), Relay(self.authority, without=[other]) as relay, \
                    self.service(relay) as service:
                self.assertFalse(service.send_invite("auth@example.org").fault)
                relay.await_mail("auth@example.org")
                self.assertEqual(relay.sessions, [(True, mechanism)])

    def test_over_implicit_tls(self):
        with Relay(self.authority, tls="implicit") as relay, self.service(relay) as service:
            self.assertFalse(service.send_invite("implicit@example.org").fault)
            relay.await_mail("implicit@example.org")
            self.assertTrue(relay.sessions[0][0])

    def test_without_encryption_where_the_operator_says_so(self):
        with Relay(tls="off") as relay, self.service(relay) as service:
            self.assertFalse(service.send_invite("plain@example.org").fault)
            relay.await_mail("plain@example.org")

    def test_one_refused_recipient_stops_nobody_else(self):
        with Relay(self.authority) as relay, self.service(relay) as service:
            relay.refused_recipients.add("nobody@example.org")
            service.send_invite("nobody@example.org")
            for number in range(5):
                service.send_invite(f"other{number}@example.org")
            for number in range(5):
                relay.await_mail(f"other{number}@example.org")
            [failed] = wait_until(lambda: service.cli("mail", "list", "--state", "failed"), what="the refusal")
            self.assertEqual(failed["recipient_email"], "nobody@example.org")
            self.assertIn("No such person", failed["last_error"])
            shown = service.cli("mail", "show", failed["message_uuid"])
            self.assertEqual((shown["attempts"][0]["outcome"], shown["attempts"][0]["reply_code"]), ("rejected", 550))
            # The person was entered there meanwhile.
            relay.refused_recipients.clear()
            service.cli("mail", "retry", failed["message_uuid"])
            relay.await_mail("nobody@example.org")

    def test_a_relay_that_takes_nobodys_mail_is_told(self):
        """It refuses each recipient ("Relay access denied"): nothing is held, and all that can be tried goes well."""
        people = [f"denied{number}@example.org" for number in range(3)]
        with Relay(self.authority) as relay, self.service(relay) as service:
            relay.refused_recipients.update(people)
            for person in people:
                service.send_invite(person)
            wait_until(lambda: len(service.cli("mail", "list", "--state", "failed")) == 3, what="the refusals")
            code, said = self.check(service)
            self.assertEqual(code, 0, said)
            self.assertRegex(said, r"(?m)^warning +mails +of the newest, 3 failed and 0 were sent; .*No such person here\. "
                                   r"See invited mail list --state failed; .*invited mail retry --all$")
            relay.refused_recipients.clear()
            service.cli("mail", "retry", "--all")
            for person in people:
                relay.await_mail(person)
            wait_until(lambda: len(service.cli("mail", "list", "--state", "sent")) == 3, what="the outcomes")
            self.assertNotRegex(self.check(service)[1], "(?m)^warning +mails")


class MailWaits(RelayTest):
    def test_while_the_relay_is_down_through_a_restart_and_leaves_when_it_is_back(self):
        relay = Relay(self.authority)
        with self.service(relay) as service:
            for number in range(3):
                self.assertFalse(service.send_invite(f"down{number}@example.org").fault)
            reason = wait_until(lambda: next((m["last_error"] or (m["hold"] or {}).get("explanation")
                                              for m in self.queued(service)
                                              if m["last_error"] or m["hold"]), None), 30, "the first attempt")
            self.assertTrue(reason)
            service.stop()
            service.start()
            self.assertEqual(len(self.queued(service)), 3)
            status, said = self.check(service)
            self.assertNotEqual(status, 0)
            self.assertIn("mail.host", said)
            with relay:
                service.cli("mail", "retry", "--all")
                for number in range(3):
                    relay.await_mail(f"down{number}@example.org", timeout=100)
                wait_until(lambda: not self.queued(service), what="an empty queue")
                self.assertEqual(len(relay.mails()), 3)
                self.assertEqual(service.cli("mail", "list", "--state", "failed"), [])

    def test_while_the_relay_refuses_our_password_and_leaves_when_that_is_mended(self):
        with Relay(self.authority) as relay, self.service(relay) as service:
            relay.write_password(self.folder, "not the password")
            self.assertFalse(service.send_invite("auth@example.org").fault)
            hold = self.await_hold(service)
            self.assertEqual((hold["stage"], hold["reply_code"]), ("auth", 535))
            [message] = self.queued(service)
            self.assertEqual((message["attempt_count"], message["state"]), (0, "queued"))
            self.assertRegex(service.process.log_text(), r"error mail\.held stage=auth .*mail\.password_file")
            status, said = self.check(service)
            self.assertNotEqual(status, 0)
            self.assertRegex(said, r"mail\.(user|password_file)")
            relay.write_password(self.folder, relay.password)
            service.cli("mail", "retry", "--all")
            relay.await_mail("auth@example.org")
            self.assertEqual(wait_until(lambda: service.cli("mail", "list", "--state", "sent"),
                                        what="the outcome")[0]["hold"], None)

    def test_where_the_relay_wants_us_to_encrypt_and_leaves_when_that_is_mended(self):
        with Relay(self.authority) as relay, self.service(relay, **{"mail.tls": "off", "mail.user": None,
                                                                    "mail.password_file": None}) as service:
            self.assertFalse(service.send_invite("530@example.org").fault)
            self.assertEqual(self.await_hold(service)["reply_code"], 530)
            service.process.await_log(r"error mail\.held stage=\w+ reply=530 .*STARTTLS.*remedy=.*mail\.tls")
            service.stop()
            service.settings |= relay.settings(self.folder)
            service.write_config()
            service.start()
            relay.await_mail("530@example.org")

    def test_where_the_relay_refuses_our_sender_at_the_recipient_and_leaves_when_that_is_mended(self):
        with Relay(self.authority) as relay, self.service(relay) as service:
            reply = "553 5.7.1 <invitations@invited.example>: Sender address rejected: not owned by user invited"
            invitees = [f"ours{number}@example.org" for number in range(3)]
            relay.replies.update(dict.fromkeys(invitees, reply))
            for invitee in invitees:
                self.assertFalse(service.send_invite(invitee).fault)
            wait_until(lambda: not relay.replies, what="three refusals")
            line = service.process.await_log(r"\bmail\.deferred\b.*Sender address rejected")
            self.assertIn("mail.from", line)
            wait_until(lambda: all(m["attempt_count"] for m in self.queued(service)), what="their outcomes")
            self.assertEqual(service.cli("mail", "retry", "--all"), {"retried": 3, "hold_lifted": False})
            for invitee in invitees:
                relay.await_mail(invitee)

    def test_where_the_relays_certificate_is_not_the_right_one(self):
        """M08: no fallback to plain text, no mail, the setting is named."""
        stranger = Authority(self.folder / "stranger")
        wrong_name = Authority(self.folder / "name", host="somewhere-else.example")
        expired = Authority(self.folder / "expired", lifetime=datetime.timedelta(hours=1))
        cases = [("signed by nobody we know", stranger, self.authority), ("of another host", wrong_name, wrong_name),
                 ("expired", expired, expired)]
        for name, shown, trusted in cases:
            for tls in ("starttls", "implicit"):
                with self.subTest(name, tls=tls), Relay(shown, tls) as relay, \
                        self.service(relay, **{"mail.ca_file": str(trusted.ca_file)}) as service:
                    self.assertFalse(service.send_invite("tls@example.org").fault)
                    self.assertRegex(self.await_hold(service)["explanation"], r"(?i)certificate")
                    service.process.await_log(r"error mail\.held stage=tls .*(?i:certificate).*remedy=.*mail\.ca_file")
                    self.assertEqual(relay.mails(), [])
                    status, said = self.check(service)
                    self.assertNotEqual(status, 0)
                    self.assertRegex(said, r"mail\.(ca_file|host|tls)")

    def test_where_the_relay_offers_no_starttls(self):
        """M07: neither the mail nor the password goes over an unencrypted connection."""
        with Relay(tls="off") as relay:
            settings = Relay(self.authority).settings(self.folder) | {"mail.port": relay.port}
            with Service.serve({**NO_RATES, **settings}) as service:
                self.assertFalse(service.send_invite("stripped@example.org").fault)
                self.assertIn("STARTTLS", self.await_hold(service)["explanation"].upper())
                service.process.await_log(r"error mail\.held stage=starttls .*remedy=.*mail\.tls")
                self.assertEqual(relay.mails(), [])


class TheProgramSaysWhatIsWrong(RelayTest):
    def test_of_a_configuration_that_cannot_work(self):
        service = Service("serve")
        config = service.folder / "invited.toml"
        for text, key in (("mail.form = 'a@b.example'", "mail.form"), ("mail.port = 70000", "mail.port"),
                          ('mail.from = "a@b.example\\r\\nBcc: c@d.example"', "mail.from"),
                          ('public_url = "ftp://x"', "public_url"), ('mail.transport = "smtp"', "mail.host")):
            with self.subTest(key):
                config.write_text(f"state_dir = {json.dumps(str(service.state_dir))}\n{text}\n", encoding="utf-8")
                for command in ("serve", "check"):
                    result = subprocess.run([binary(), command, "--config", str(config)], capture_output=True, text=True,
                                            timeout=60, check=False)
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(key, result.stdout + result.stderr)
        service.__exit__(None, None, None)


if __name__ == "__main__":
    end_to_end.main()
