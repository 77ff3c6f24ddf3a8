"""Several instances send from one outbox: D33, an instance that is frozen beyond its lease, clocks that differ."""

import glob
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment_on_postgres import PostgresDeployment

import end_to_end
import postgres
from call_log import DONE
from invited_service import NO_RATES, Service, wait_until
from smtp_relay import Relay

MESSAGES = end_to_end.rounds(1_500, 100_000)
FREEZES = end_to_end.rounds(1, 20)
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


class OneOutbox(unittest.TestCase):
    def test_d33_two_instances_send_each_message_once(self):
        with postgres.Cluster() as cluster, \
                PostgresDeployment([cluster.primary], instances=2,
                                   settings={"mail.connections": 2, "mail.lease": "20m"}) as deployment:
            deployment.relay.answers.clear()
            with deployment.callers(wrong=0):
                wait_until(lambda: deployment.log.count(DONE) >= MESSAGES, 14_000)
            queued = int(cluster.primary.value("SELECT count(*) FROM outbox_message WHERE state = 'queued'"))
            began = time.monotonic()
            deployment.relay.answers.set()
            deployment.await_idle()
            took = time.monotonic() - began
            sent = [service.process.log_text().count("mail.sent") for service in deployment.services]
            print(f"\n  {queued} mails in {took:.1f} s, of which each instance sent {sent}", flush=True)
            self.assertEqual(deployment.faults, 0)  # so that no second copy is allowed
            deployment.assert_whole(self, links_followed=2)
            self.assertGreater(min(sent), queued / 10)

    def test_two_instances_are_killed_in_turn_and_each_message_is_sent(self):
        with postgres.Cluster() as cluster, PostgresDeployment([cluster.primary], instances=2,
                                                              settings={"mail.lease": "2s"}) as deployment:
            with deployment.callers(rate=300):
                for _ in range(end_to_end.rounds(6, 1000)):
                    deployment.log.await_more(30)
                    deployment.kill_and_start()
            deployment.assert_whole(self, links_followed=2)


class TwoInstances(unittest.TestCase):
    """Of which the test starts each when it wants to."""

    SETTINGS = {**NO_RATES, "mail.lease": "2s", "mail.connections": 2}

    def setUp(self):
        self.cluster = postgres.Cluster()
        self.addCleanup(self.cluster.close)
        self.relay = Relay(tls="off").start()
        self.addCleanup(self.relay.stop)
        self.one = Service.serve({**self.SETTINGS, **self.relay.settings(), "database": self.cluster.url})
        self.addCleanup(self.one.__exit__, None)

    def beside(self, **options):
        other = self.one.beside(**options)
        self.addCleanup(other.__exit__, None)
        return other

    def message(self, recipient):
        [row] = self.cluster.primary.query("SELECT id, state, deaths FROM outbox_message "
                                           f"WHERE recipient_key = '{recipient}'", postgres.DATABASE)
        return dict(zip(("id", "state", "deaths"), row))

    def attempts(self, recipient):
        """Begun ones."""
        return self.cluster.primary.value("SELECT count(*) FROM attempt JOIN outbox_message m ON m.id = message_id "
                                          f"WHERE recipient_key = '{recipient}'")

    def invite(self, service, invitee):
        self.assertFalse(service.send_invite(invitee).fault)

    def test_who_is_frozen_beyond_the_lease_neither_blocks_a_message_nor_overwrites_its_outcome(self):
        other = self.beside()
        for number in range(FREEZES):
            taken, refused = f"taken-{number}@example.org", f"refused-{number}@example.org"
            self.relay.answers.clear()
            self.relay.replies[refused] = "550 5.1.1 what the frozen one is told in the end"
            self.invite(self.one, taken)
            self.invite(self.one, refused)
            self.relay.await_unanswered(2)
            self.one.process.child.send_signal(signal.SIGSTOP)
            try:
                self.relay.answers.set()
                other.start()
                for recipient in (taken, refused):
                    wait_until(lambda: self.message(recipient)["state"] == "sent", 15, "the other's mail")
                before = [self.message(recipient) for recipient in (taken, refused)]
                self.assertEqual([message["deaths"] for message in before], ["1", "1"])
                seen = self.one.process.log_length()
            finally:
                self.one.process.child.send_signal(signal.SIGCONT)
            for message in before:
                self.one.process.await_log(rf"mail\.lease_was_over.*{message['id']}|{message['id']}.*lease_was_over",
                                           start=seen)
            self.assertEqual([self.message(recipient) for recipient in (taken, refused)], before)
            copies = self.relay.mails(taken)
            self.assertEqual(len(copies), 2)
            self.assertEqual(copies[0].bytes, copies[1].bytes)
            self.assertEqual(len(self.relay.mails(refused)), 1)
            # And it goes on as if nothing had been.
            other.stop()
            self.invite(self.one, f"after-{number}@example.org")
            self.relay.await_mail(f"after-{number}@example.org")

    @unittest.skipUnless(FAKETIME, "NOT TESTED: faketime is not installed (apt-get install faketime)")
    def test_an_instance_whose_clock_is_an_hour_ahead_goes_by_the_databases(self):
        self.one.stop()
        self.one.settings |= {"mail.lease": "10s", "invitation.lifetime": "30m"}
        self.one.write_config()
        self.one.start()
        for offset in ("+1h", "-1h"):
            with self.subTest(offset):
                # The clock on the wall only; how time passes stays as it is.
                ahead = self.beside(environment={"LD_PRELOAD": FAKETIME[0], "FAKETIME": offset,
                                                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
                recipient = f"leased{offset}@example.org"
                self.relay.answers.clear()
                self.invite(self.one, recipient)
                self.relay.await_unanswered(1)
                ahead.start()
                # It has work of its own, so it looks at the outbox, and leaves alone what is leased.
                own = f"own{offset}@example.org"
                self.invite(ahead, own)
                self.relay.await_unanswered(2)
                self.assertEqual(self.attempts(recipient), "1")
                self.relay.answers.set()
                self.relay.await_mail(own)
                wait_until(lambda: self.message(recipient)["state"] == "sent")
                self.assertEqual(len(self.relay.mails(recipient)), 1)
                # What it stores has the database's time, and what others stored has not expired, or is not yet to come.
                skew = float(self.cluster.primary.value(
                    "SELECT abs(extract(epoch FROM now()) - created_at / 1000.0) FROM invitation "
                    f"WHERE invitee_key = '{own}'"))
                self.assertLess(skew, 60)
                for service, invitee in ((ahead, recipient), (self.one, own)):
                    page = service.person().open(self.relay.await_mail(invitee).link)
                    self.assertIsNotNone(page.form("/accept"), page.text)
                states = {i["state"] for i in ahead.cli("invitation", "list")}
                self.assertEqual(states, {"pending"})


if __name__ == "__main__":
    postgres.need()
    end_to_end.main()
