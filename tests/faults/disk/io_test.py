"""D09 to D12 under the whole service: the n-th write or sync of its database fails, once or from then on, with n from the
first of its start to those of its work. (The same for the store alone, for every n: tests/faults/storage/disk_test.cpp.)"""

import collections
import pathlib
import random
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support"), str(HERE.parent / "load")]

import end_to_end
from deployment import OnSqlite
from invited_service import wait_until

FOR_EVER = 1_000_000_000
SYNCS, WRITES = 50, 150  # of a start and some work
# What fails, how, how often in a row, and whether the service may live on.
FAULTS = [("sync", "EIO", 1, SYNCS, False), ("sync", "EIO", FOR_EVER, SYNCS, False), ("write", "EIO", FOR_EVER, WRITES, False),
          ("write", "ENOSPC", 1, WRITES, True), ("write", "HALF_ENOSPC", 1, WRITES, True),
          ("write", "ENOSPC", FOR_EVER, WRITES, True)]
CALLS = 25


class TheNthFails(unittest.TestCase):
    def test_d09_to_d12_nothing_acknowledged_is_lost_and_nothing_hangs(self):
        with OnSqlite({"storage.disk_watermark": "0"}) as deployment:
            [service] = deployment.services
            self.mark = service.folder / "mark"
            self.ends = collections.Counter()
            with deployment.callers(rate=200, connections=4):
                for call, error, count, most, may_live in FAULTS:
                    every = range(1, most + 1, 1 if call == "sync" else 3)
                    places = every if end_to_end.IS_LONG_FORM else random.sample(every, 2)
                    for place in places:
                        with self.subTest(call=call, error=error, count=count, place=place):
                            service.stop()
                            self.live(deployment, f"{call},{error},{place},{count},{self.mark}", may_live)
                            deployment.start(service)
                deployment.log.await_more(50)
            print(f"\n  {dict(self.ends)}", flush=True)
            deployment.assert_whole(self)

    def live(self, deployment, fault, may_live):
        """One life with a fault in it."""
        [service] = deployment.services
        self.mark.unlink(missing_ok=True)
        service.launch({"LD_PRELOAD": str(end_to_end.BUILD_DIR / "tests" / "io_fault.so"), "INVITED_IO_FAULT": fault})
        before = deployment.log.count()
        wait_until(lambda: not service.process.is_running() or deployment.log.count() > before + CALLS, 60,
                   "an end, or answers")
        met = self.mark.exists()
        if service.process.is_running() and met and not may_live:
            wait_until(lambda: not service.process.is_running(), 10, "the end after a fault that is fatal")
        if service.process.is_running():
            if may_live:
                self.assertEqual(service.request("GET", "/healthz").status, 200)
            if service.process.end() == 0:  # also where it is the last checkpoint that fails: all is in the log
                # Told to end while the disk is full, it says which mails left without a record of it.
                lost = re.findall(r"mail\.outcome_not_recorded .*outcome=sent", service.process.log_text())
                deployment.faults += len(lost)
                self.ends["lived on with it" if met else "did not meet it"] += 1
                return
        deployment.faults += 1
        self.assertEqual(service.process.wait(), 1)
        log = service.process.log_text()
        # Fatal at work, or no start; both say why.
        self.assertRegex(log, r"storage\.broken|^invited: |\ninvited: ")
        self.ends["ended at work" if "storage.broken" in log else "did not start"] += 1


if __name__ == "__main__":
    end_to_end.main()
