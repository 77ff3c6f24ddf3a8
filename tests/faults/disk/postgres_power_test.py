"""D06: the power of PostgreSQL's machine goes, under load of two instances that are elsewhere: its data folder lies on an
ext4 that is shut down without writing anything more. It recovers, the instances find it again by themselves, and nothing
that was acknowledged is lost. A control, with synchronous_commit=off, loses."""

import pathlib
import random
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support"), str(HERE.parent / "load")]

import end_to_end
import loop_disk
import postgres
from cuts import forget_late_answers
from deployment import OnPostgres
from invited_service import CommandFailed, wait_until
from loop_disk import LoopDisk

CUTS = end_to_end.rounds(2, 20)
DATABASES = end_to_end.rounds(1, 5)
# Nothing is kept for standbys, so that the disk can be small.
SMALL = {"wal_keep_size": "0", "max_wal_size": "64MB"}


class OnPoweredPostgres(OnPostgres):
    def __init__(self, disk, server_settings=None, settings=None):
        self.disk = disk
        self.server_settings = {**SMALL, **(server_settings or {})}
        self.cuts = []  # (the power went, it was back)
        super().__init__(settings)
        # Made in a hurry, without syncs.
        self.cluster.primary.query("CHECKPOINT")
        subprocess.run(["sync", "--file-system", disk.path], check=True)

    def make_cluster(self):
        return postgres.Cluster(self.server_settings, parent=self.disk.path)

    def cut_and_start(self):
        [postmaster, *_] = self.cluster.primary.processes()
        began = self.disk.cut_power()
        self.cluster.primary.kill()
        # A dead one that init has not buried yet would be taken for living.
        wait_until(lambda: not pathlib.Path(f"/proc/{postmaster}").exists(), 10, "the end of the postmaster")
        self.disk.power_on()
        self.cluster.primary.start()
        self.cuts.append((began, time.time()))
        for service in self.services:
            wait_until(lambda: self.answers(service), 10, "a service that has found its database again")
        self.faults += len(self.services)  # each may have sent a mail that could not be noted

    @staticmethod
    def answers(service):
        try:
            return service.cli("invitation", "list", "--limit", "1") and service.request("GET", "/readyz").status == 200
        except CommandFailed:
            return False

    def judge(self, *arguments):
        forget_late_answers(self.log, self.cuts)
        return super().judge(*arguments)


class ThePowerOfPostgresGoes(unittest.TestCase):
    def setUp(self):
        self.disk = LoopDisk(700)
        self.addCleanup(self.disk.close)

    def test_d06_nothing_acknowledged_is_lost(self):
        for number in range(DATABASES):
            if number:
                self.disk.format()
            with OnPoweredPostgres(self.disk) as deployment:
                with deployment.callers(rate=300):
                    for _ in range(CUTS):
                        deployment.log.await_more(60)
                        time.sleep(random.uniform(0, 0.4))  # the random moment is what is tested
                        deployment.cut_and_start()
                deployment.assert_whole(self)

    def test_d08_control_without_waiting_for_the_disk_it_does_lose(self):
        careless = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
        with OnPoweredPostgres(self.disk, careless, {"storage.allow_unsafe": "synchronous_commit"}) as deployment:
            with deployment.callers(rate=300):
                deployment.log.await_more(200)
                deployment.cut_and_start()
            lost = {finding.kind for finding in deployment.judge(0).findings}
            print(f"\n  the control found: {', '.join(sorted(lost))}", flush=True)
            self.assertIn("done, but not stored", lost)


if __name__ == "__main__":
    postgres.need()
    loop_disk.need()
    end_to_end.main()
