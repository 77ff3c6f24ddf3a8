"""O01, O02: stopped under load by SIGTERM, by two of them, by SIGTERM and then SIGKILL. What was taken is answered; after
an impatient end it is as after a crash."""

import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment import OnSqlite

import end_to_end

CYCLES = end_to_end.rounds(4, 100)


class StoppedUnderLoad(unittest.TestCase):
    def test_by_sigterm_everything_that_was_taken_is_answered(self):
        """O01. A call may meet a connection that is being closed; then it is not done, and its repetition is."""
        with OnSqlite() as deployment:
            [service] = deployment.services
            with deployment.callers(rate=400):
                for _ in range(CYCLES):
                    time.sleep(random.uniform(0.05, 0.3))  # the random moment is what is tested
                    began = time.monotonic()
                    service.stop()  # checks the exit status
                    self.assertLess(time.monotonic() - began, 30)
                    self.assertIn("all_answered=true", service.process.log_text())
                    deployment.start(service)
                deployment.log.await_more(50)
            report = deployment.assert_whole(self)
            self.assertEqual(report.unknown_stored, 0, "done, but not answered")

    def test_impatiently_it_is_as_safe_as_a_crash(self):
        """O02."""
        with OnSqlite() as deployment:
            [service] = deployment.services
            statuses = set()
            with deployment.callers(rate=400):
                for cycle in range(CYCLES):
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
            self.assertGreater(len(statuses), 1)


if __name__ == "__main__":
    end_to_end.main()
