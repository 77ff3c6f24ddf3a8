"""D01: kill -9 in a loop under load, with the real program. Afterwards three accounts of what happened are compared:
the callers' (what each call was answered), the database's, and the mails'. Nothing acknowledged may be lost.

Also D02, D03 and D04, killed at exact places.
"""

import collections
import http.client
import pathlib
import random
import re
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import captured_mail
import end_to_end
import soap_client
from invited_service import NO_RATES, Service, wait_until
from smtp_relay import Relay

CYCLES = end_to_end.rounds(15, 200)
CALLERS = 8
CALLS_PER_CYCLE = 400
SETTINGS = {**NO_RATES}
ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


class Callers:
    """Threads that invite fresh addresses as fast as they are answered, and keep a log of each call."""

    def __init__(self, service):
        self.service = service
        self.outcomes = {}
        self.calls = 0
        self._lock = threading.Lock()

    def run(self, cycle, stop):
        """Returns the running threads. After `stop` is set, or a broken connection, they end."""
        budget = [CALLS_PER_CYCLE]

        def call_on(caller):
            number = 0
            while not stop.is_set():
                with self._lock:
                    if budget[0] == 0:
                        return
                    budget[0] -= 1
                invitee = f"c{cycle}-{caller}-{number}@example.org"
                outcome = self._call(invitee)
                with self._lock:
                    self.outcomes[invitee] = outcome
                if outcome == UNKNOWN:
                    return
                number += 1

        threads = [threading.Thread(target=call_on, args=(caller,)) for caller in range(CALLERS)]
        for thread in threads:
            thread.start()
        return threads

    def _call(self, invitee):
        try:
            answer = self.service.send_invite(invitee)
        except (OSError, http.client.HTTPException):
            return UNKNOWN
        return REFUSED if answer.fault else ACKNOWLEDGED


def await_idle(service):
    """However long the queue is and however slow the machine: as long as one mail after the other leaves."""
    def newest(state):
        return service.cli("mail", "list", "--state", state, "--limit", "1")

    while newest("queued"):
        before = newest("sent")
        wait_until(lambda: newest("sent") != before or not newest("queued"), 60, "the next mail of the queue")


def open_database(service):
    """Read-only, after the service stopped."""
    [file] = service.state_dir.glob("*.db")
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True)


class NothingAcknowledgedIsLost(unittest.TestCase):
    def test_in_a_loop_of_kill_9_under_load(self):
        """With a relay that keeps every copy of every mail."""
        with Relay(tls="off") as relay, Service.serve(SETTINGS | relay.settings()) as service:
            callers = Callers(service)
            ready_times = []
            for cycle in range(CYCLES):
                stop = threading.Event()
                threads = callers.run(cycle, stop)
                time.sleep(random.uniform(0.05, 0.6))  # the random moment of the kill is what is tested
                service.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                began = time.monotonic()
                service.start()
                ready_times.append(time.monotonic() - began)
            self.assertFalse(service.send_invite("after@example.org").fault)
            callers.outcomes["after@example.org"] = ACKNOWLEDGED
            await_idle(service)
            quarantined = service.cli("mail", "list", "--state", "quarantined")
            if quarantined:  # seen three deaths: held back for an operator's eyes, not lost
                service.cli("mail", "retry", "--all")
                await_idle(service)
            service.stop()
            self.compare(service, callers.outcomes, relay.mails(), len(quarantined), ready_times)

    def compare(self, service, outcomes, received, quarantined, ready_times):
        with open_database(service) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(database.execute("PRAGMA foreign_key_check").fetchall(), [])
            rows = collections.Counter(row[0] for row in database.execute("SELECT invitee_key FROM invitation"))
            messages = dict(database.execute("SELECT i.invitee_key, m.id FROM outbox_message m JOIN invitation i "
                                             "ON i.id = m.invitation_id"))
            events = database.execute("SELECT count(*) FROM audit_event WHERE action = 'invitation.created'").fetchone()
        mails = collections.defaultdict(list)
        for mail in received:
            identity = re.search(rb"^Message-ID:\s+<([^@>]+)@", mail.bytes, re.MULTILINE | re.IGNORECASE).group(1)
            mails[mail.envelope_to[0]].append((identity.decode(), mail.bytes))
        copies = len(received) - len(mails)

        acknowledged = {invitee for invitee, outcome in outcomes.items() if outcome == ACKNOWLEDGED}
        refused = {invitee for invitee, outcome in outcomes.items() if outcome == REFUSED}
        unknown = {invitee for invitee, outcome in outcomes.items() if outcome == UNKNOWN}
        print(f"\n  {CYCLES} kills: {len(acknowledged)} acknowledged, {len(refused)} refused, {len(unknown)} unknown (of "
              f"which {len(unknown & set(rows))} were stored); {len(received)} mails, {copies} of them second copies, "
              f"{quarantined} quarantined meanwhile; ready after {max(ready_times):.2f} s at most, "
              f"{sum(ready_times) / len(ready_times):.2f} s on average", flush=True)
        self.assertGreater(len(acknowledged), CYCLES)
        self.assertEqual({i for i in acknowledged if rows[i] != 1}, set(), "acknowledged, not exactly one row")
        self.assertEqual({i for i in acknowledged if i not in mails}, set(), "acknowledged, no mail")
        self.assertEqual({i for i in refused if i in rows or i in mails}, set(), "refused, yet stored")
        self.assertEqual({i for i in rows if i not in outcomes}, set(), "stored, never asked for")
        self.assertEqual({i for i, count in rows.items() if count != 1}, set())
        self.assertEqual({i for i in mails if i not in rows}, set(), "mail, no invitation")
        self.assertEqual(events, (len(rows),), "an invitation without its audit event, or the reverse")
        for invitee, found in mails.items():
            self.assertEqual({identity for identity, _ in found}, {messages[invitee]}, invitee)
            self.assertEqual(len({data for _, data in found}), 1, f"copies for {invitee} differ")
        self.assertLessEqual(copies, CYCLES, "more than one second copy for each kill")
        self.assertLess(max(ready_times), 2)


class KilledAtAnExactPlace(unittest.TestCase):
    """INVITED_FAILPOINT=name:count ends the process, as kill -9 does, the count-th time that it passes the place."""

    def call_until_it_dies_of(self, service, failpoint, name):
        """Starts it so that it dies after a while at that place, and calls until it does. Returns the invitee of the call
        that got no answer: mostly the call whose commit it was, at times another (the mail worker commits too)."""
        service.launch({"INVITED_FAILPOINT": f"{failpoint}:40"})
        service.await_ready()
        for number in range(200):
            invitee = f"{name}-{number}@example.org"
            try:
                self.assertFalse(service.send_invite(invitee).fault)
            except (OSError, http.client.HTTPException):
                self.assertEqual(service.process.wait(), -9)
                return invitee
        self.fail("it lives on: this build has no failpoints (INVITED_FAILPOINTS)")

    def rows(self, service, invitee):
        return [i for i in service.cli("invitation", "list") if i["invitee_email"] == invitee]

    def test_before_the_commit_leaves_neither_row_nor_mail(self):
        """D03."""
        with Service.serve(SETTINGS) as service:
            for attempt in range(20):  # until it was the call's own commit
                service.stop()
                invitee = self.call_until_it_dies_of(service, "before_commit", f"d03-{attempt}")
                service.start()
                if not self.rows(service, invitee):
                    break
            await_idle(service)
            self.assertEqual(self.rows(service, invitee), [])
            self.assertEqual(captured_mail.mails_to(service.mail_dir, invitee), [])
            self.assertFalse(service.send_invite(invitee).fault)
            captured_mail.await_mail(service.mail_dir, invitee)

    def test_between_commit_and_reply_the_same_call_again_is_the_same_invitation(self):
        """D02."""
        with Service.serve(SETTINGS) as service:
            before = []
            for attempt in range(20):  # until it was the call's own commit
                service.stop()
                invitee = self.call_until_it_dies_of(service, "after_commit", f"d02-{attempt}")
                service.start()
                before = self.rows(service, invitee)
                if before:
                    break
            self.assertEqual(len(before), 1)
            self.assertFalse(service.send_invite(invitee).fault)
            self.assertEqual(self.rows(service, invitee), before)
            await_idle(service)
            self.assertEqual(len([m for m in service.cli("mail", "list") if m["recipient_email"] == invitee]), 1)
            self.assertEqual(len(captured_mail.mails_to(service.mail_dir, invitee)), 1)

    def test_between_handing_over_and_noting_it_one_more_copy_leaves_with_equal_bytes(self):
        """D04, with a relay that keeps every copy."""
        with Relay(tls="off") as relay, Service.serve(SETTINGS | relay.settings()) as service:
            service.stop()
            service.launch({"INVITED_FAILPOINT": "mail_after_send"})
            service.await_ready()
            self.assertFalse(service.send_invite("d04@example.org").fault)
            relay.await_mail("d04@example.org")
            self.assertEqual(service.process.wait(), -9)
            [message] = service.cli("mail", "list")
            self.assertEqual(message["state"], "queued")
            service.start()
            second = relay.await_mail("d04@example.org", 2)
            await_idle(service)
            copies = relay.mails()
            self.assertEqual([mail.message_id for mail in copies], [second.message_id] * 2)
            self.assertEqual(copies[0].bytes, copies[1].bytes)
            self.assertEqual(service.cli("mail", "list", "--state", "sent")[0]["deaths"], 1)

    def test_before_the_final_dot_the_mail_leaves_once_after_the_restart(self):
        for place in ("mail_before_send", "mail_before_final_dot"):
            with self.subTest(place), Relay(tls="off") as relay, Service.serve(SETTINGS | relay.settings()) as service:
                service.stop()
                service.launch({"INVITED_FAILPOINT": place})
                service.await_ready()
                self.assertFalse(service.send_invite("early@example.org").fault)
                self.assertEqual(service.process.wait(), -9)
                self.assertEqual(relay.mails(), [])
                service.start()
                relay.await_mail("early@example.org")
                await_idle(service)
                self.assertEqual(len(relay.mails()), 1)


if __name__ == "__main__":
    end_to_end.main()
