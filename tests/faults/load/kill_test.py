"""D01: kill -9 at random moments under load. Afterwards everything that was answered, stored and mailed is compared
(checker.py)."""

import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment import OnPostgres, OnSqlite

import end_to_end
import postgres

# A thousand in the long form, on one database for a hundred at a time: what there is to compare has to fit in memory.
DATABASES = end_to_end.rounds(1, 10)
KILLS = end_to_end.rounds(6, 100)


class NothingAcknowledgedIsLost(unittest.TestCase):
    def kill_in_a_loop(self, deployment):
        with deployment.callers(rate=600):
            for _ in range(KILLS):
                time.sleep(random.uniform(0.05, 0.4))  # the random moment of the kill is what is tested
                deployment.kill_and_start()
            deployment.log.await_more(50)

    def judge(self, deployment):
        deployment.assert_whole(self)
        self.assertLess(max(deployment.ready_seconds) if end_to_end.IS_LONG_FORM else deployment.ready_after(), 2)


class OnOneSqlite(NothingAcknowledgedIsLost):
    def test_in_a_loop_of_kill_9_under_load(self):
        for _ in range(DATABASES):
            with OnSqlite() as deployment:
                at_first = deployment.database().size()
                self.kill_in_a_loop(deployment)
                self.assertGreater(deployment.database().size(), at_first, "no kill can have met the log being written back")
                self.judge(deployment)


class OnPostgresOfTwo(NothingAcknowledgedIsLost):
    @classmethod
    def setUpClass(cls):
        postgres.need()

    def test_in_a_loop_of_kill_9_of_either_under_load(self):
        for _ in range(DATABASES):
            with OnPostgres() as deployment:
                self.kill_in_a_loop(deployment)
                self.judge(deployment)


if __name__ == "__main__":
    end_to_end.main()
