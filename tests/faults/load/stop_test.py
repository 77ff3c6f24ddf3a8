"""O01, O02: stopped under load by SIGTERM, by two of them, by SIGTERM and then SIGKILL. What was taken is answered;
after an impatient end it is as after a crash."""

import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment import OnPostgres, OnSqlite

import end_to_end
import postgres
from call_log import UNKNOWN

CYCLES = end_to_end.rounds(3, 100)


class StoppedUnderLoad(unittest.TestCase):
    def stop_again_and_again(self, deployment):
        """O01, with a connection for each call, as proxies make them. Who has connected is let in and answered; only a
        client that connects and then says nothing for a while finds its connection closed, and nothing done."""
        with deployment.callers(rate=400, keep_alive=0):
            for _ in range(CYCLES):
                service = random.choice(deployment.services)
                time.sleep(random.uniform(0.05, 0.3))  # the random moment is what is tested
                began = time.monotonic()
                service.stop()  # checks the exit status
                self.assertLess(time.monotonic() - began, 30)
                self.assertIn("all_answered=true", service.process.log_text())
                deployment.start(service)
            deployment.log.await_more(50)
        report = deployment.assert_whole(self)
        self.assertEqual(report.unknown_stored, 0, "done, but not answered")
        # On a machine that is busy with other things, saying nothing for a while happens.
        self.assertLess(deployment.log.count(UNKNOWN), max(3, CYCLES // 10))

    def stop_impatiently(self, deployment):
        """O02."""
        statuses = set()
        with deployment.callers(rate=400):
            for cycle in range(CYCLES + 20):
                # An idle service may be faster than the second signal.
                if cycle >= CYCLES and -signal.SIGKILL in statuses:
                    break
                service = random.choice(deployment.services)
                second = (signal.SIGTERM, signal.SIGKILL)[cycle % 2]
                time.sleep(random.uniform(0.05, 0.3))
                service.process.child.send_signal(signal.SIGTERM)
                time.sleep(random.uniform(0, 0.02))
                statuses.add(service.process.end(second))
                deployment.faults += 1
                deployment.start(service)
            deployment.log.await_more(50)
        deployment.assert_whole(self)
        self.assertLessEqual(statuses, {0, -signal.SIGTERM, -signal.SIGKILL})
        self.assertIn(-signal.SIGKILL, statuses)


class OnOneSqlite(StoppedUnderLoad):
    def test_by_sigterm_everything_that_was_taken_is_answered(self):
        with OnSqlite() as deployment:
            self.stop_again_and_again(deployment)

    def test_impatiently_it_is_as_safe_as_a_crash(self):
        with OnSqlite() as deployment:
            self.stop_impatiently(deployment)


class OnPostgresOfTwo(StoppedUnderLoad):
    @classmethod
    def setUpClass(cls):
        postgres.need()

    def test_by_sigterm_everything_that_was_taken_is_answered(self):
        with OnPostgres() as deployment:
            self.stop_again_and_again(deployment)

    def test_impatiently_it_is_as_safe_as_a_crash(self):
        with OnPostgres() as deployment:
            self.stop_impatiently(deployment)


if __name__ == "__main__":
    end_to_end.main()
