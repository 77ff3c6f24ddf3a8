"""The machine's clock jumps by an hour, forward and back, while invitations, mails and retries are under way (libfaketime).
Nothing is lost, nothing is sent twice, and what is over stays over."""

import datetime
import glob
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support"), str(HERE.parent / "load")]

import captured_mail
import end_to_end
import links
from deployment import OnSqlite
from invited_service import Service, wait_until

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
ROUNDS = end_to_end.rounds(3, 60)
# Nearly: the same call again is the same invitation within the hour that the load caller sets.
AN_HOUR = 55


class Clock:
    """The clock of one service; the machine's own, with what is added to it. Clocks that only run stay as they are."""

    def __init__(self, service):
        self.service = service
        self.file = service.folder / "clock"
        self.jump(0)
        service.stop()
        service.environment.update({
            "LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"})
        service.start()

    def jump(self, minutes):
        """To so many minutes ahead of the machine's clock."""
        self.ahead = minutes * 60
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.ahead:+d}\n", encoding="ascii")
        new.rename(self.file)

    def await_jump(self):
        """It is looked at once a second. A refused call makes a line in the log, with the time."""
        def come():
            self.service.send_invite("nobody at all")
            stamp = datetime.datetime.fromisoformat(self.service.process.log_text().splitlines()[-1][:24])
            return abs(stamp.timestamp() - time.time() - self.ahead) < 60
        wait_until(come, 10, f"the clock {self.ahead:+d} s ahead")


class TheClockJumps(unittest.TestCase):
    def test_under_load_nothing_is_lost_and_nothing_sent_twice(self):
        with OnSqlite() as deployment:
            [service] = deployment.services
            clock = Clock(service)
            for number in range(5):  # to be tried again later
                deployment.relay.replies[f"load{number}-3@example.org"] = "451 4.3.0 come back later"
            with deployment.callers(rate=100):
                deployment.log.await_more(100)
                deployment.relay.replies.clear()
                for _ in range(ROUNDS):
                    for minutes in (AN_HOUR, 0):
                        clock.jump(minutes)
                        clock.await_jump()
                        deployment.log.await_more(40)
            # What was queued while the clock was ahead leaves when the clock comes there.
            clock.jump(180)
            deployment.assert_whole(self)

    def test_what_is_over_stays_over(self):
        """A link that was used, replaced or withdrawn does not work again because the clock was set back. Nor do limits,
        which were used up to a point in time that is now ahead, refuse what comes then."""
        with Service.serve() as service:
            clock = Clock(service)
            clock.jump(60)
            clock.await_jump()
            for name in ("used", "replaced", "withdrawn"):
                self.assertFalse(service.send_invite(f"{name}@example.org").fault)
            mails = {name: captured_mail.await_mail(service.mail_dir, f"{name}@example.org")
                     for name in ("used", "replaced", "withdrawn")}
            mails["used"].envelope_to = ["used@example.org"]
            self.assertEqual(links.follow(service, [mails["used"]])[1], [])
            ids = {i["invitee_email"]: i["invitation_uuid"] for i in service.cli("invitation", "list")}
            service.cli("invitation", "resend", ids["replaced@example.org"])
            clock.jump(62)  # the mailbox takes the next one after a minute; until it has left, the older link counts
            captured_mail.await_mail(service.mail_dir, "replaced@example.org", 2)
            service.cli("invitation", "revoke", ids["withdrawn@example.org"])
            for minutes in (0, -60, 120):
                clock.jump(minutes)
                clock.await_jump()
                for name, mail in mails.items():
                    self.assertNotEqual(service.person().open(mail.link).status, 200, f"{name} at {minutes:+d} min")
                self.assertFalse(service.send_invite(f"new-{minutes + 99}@example.org").fault)


if __name__ == "__main__":
    if not LIBRARIES:
        end_to_end.skip("jumping clocks: libfaketime is not installed (apt-get install faketime)")
    end_to_end.main()
