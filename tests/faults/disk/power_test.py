"""The power goes: ext4 on a loop device is shut down without writing anything more, and mounted again. D05: nothing that
was acknowledged is lost. D07: the same in the first second of the first start. D08: a log that is not synced does lose,
so these tests can fail."""

import pathlib
import random
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support"), str(HERE.parent / "load")]

import end_to_end
import loop_disk
from cuts import forget_late_answers, late_records
from deployment import OnSqlite
from invited_service import NO_RATES, Service
from loop_disk import LoopDisk
from store_child import Damaged, StoreChild, differences, read_notes, stored_numbers

STORE_CUTS = end_to_end.rounds(6, 200)
CUTS_ON_ONE_DATABASE = 10
SERVICE_CUTS = end_to_end.rounds(2, 20)
SERVICE_DATABASES = end_to_end.rounds(1, 5)
FIRST_STARTS = end_to_end.rounds(4, 100)
SERVICE_FIRST_STARTS = end_to_end.rounds(2, 40)
CONTROL_CUTS = 3
BROKEN, CANNOT_OPEN = 3, 2


class ThePowerGoes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="invited-power-")
        self.addCleanup(folder.cleanup)
        self.notes = pathlib.Path(folder.name) / "notes"  # what was acknowledged: on another disk
        self.later_notes = self.notes.with_name("later notes")
        self.disk = LoopDisk()
        self.addCleanup(self.disk.close)
        self.database = self.disk.path / "invited.db"

    def cut(self, first, at_work=True, longest=0.3, **options):
        """One life of the store: the power goes at a random moment, of its work or of its start. Returns its notes and
        what is stored afterwards."""
        self.notes.unlink(missing_ok=True)
        child = StoreChild(self.database, self.notes, first, **options)
        if at_work:
            child.await_ready()
        time.sleep(random.uniform(0, longest))  # the random moment is what is tested
        before = self.notes.stat().st_size if self.notes.exists() else 0
        self.disk.cut_power()
        status = child.wait()
        self.disk.power_on()
        self.assertIn(status, (BROKEN, CANNOT_OPEN), "a process that can store nothing more ends, and says so")
        return read_notes(self.notes, before)

    def live_on(self, notes, first):
        """A start after the power came back, which is killed as soon as it is ready."""
        self.later_notes.unlink(missing_ok=True)
        child = StoreChild(self.database, self.later_notes, first)
        child.await_ready()
        child.kill()
        for answer, numbers in read_notes(self.later_notes).items():
            notes[answer] |= numbers

    def test_d05_at_any_moment_nothing_acknowledged_is_lost(self):
        acknowledged, unknown, unknown_stored, ready = 0, 0, 0, []
        for number in range(STORE_CUTS):
            if number % CUTS_ON_ONE_DATABASE == 0:
                self.disk.format()
            notes = self.cut(number * 1_000_000, at_work=number % 5 != 4)
            if number % 2:  # recovered by our own start instead of SQLite's shell
                began = time.monotonic()
                self.live_on(notes, number * 1_000_000 + 500_000)
                ready.append(time.monotonic() - began)
            rows = stored_numbers(self.database)
            self.assertEqual(differences(notes, rows), [], f"cut {number}")
            acknowledged += len(notes["ok"])
            unknown += len(notes["unknown"])
            unknown_stored += len(notes["unknown"] & rows.keys())
        print(f"\n  {STORE_CUTS} power cuts: {acknowledged} acknowledged, none lost; {unknown} unknown, {unknown_stored} of "
              f"them stored; ready after {max(ready):.2f} s at most", flush=True)
        self.assertGreater(acknowledged, STORE_CUTS)
        self.assertLess(sum(ready) / len(ready), 2)  # on average: others may keep the machine busy

    def test_d07_within_the_first_second_of_the_first_start(self):
        acknowledged = 0
        for number in range(FIRST_STARTS):
            self.disk.format()
            notes = self.cut(1, at_work=False, longest=random.choice((0.03, 0.1, 1)))
            self.live_on(notes, 500_000)
            self.assertEqual(differences(notes, stored_numbers(self.database)), [], f"start {number}")
            acknowledged += len(notes["ok"])
        print(f"\n  {FIRST_STARTS} power cuts in the first second: {acknowledged} acknowledged, none lost; each started "
              "again", flush=True)

    def test_d08_control_a_log_that_is_not_synced_does_lose(self):
        """COMMIT does not wait for the disk, nor does a log that is written back because the disk is small for it."""
        lost, acknowledged = set(), 0
        for number in range(CONTROL_CUTS):
            self.disk.format()
            notes = self.cut(number * 1_000_000, io_fault="sync,LIE,1,1000000000", checkpoint_pages=1_000_000)
            acknowledged += len(notes["ok"])
            try:
                lost |= notes["ok"] - stored_numbers(self.database).keys()
            except Damaged:
                lost |= notes["ok"]
        print(f"\n  the control: {len(lost)} of {acknowledged} acknowledged were lost in {CONTROL_CUTS} power cuts",
              flush=True)
        self.assertTrue(lost, "power cuts without syncs lost nothing: these tests cannot fail")


class OnAPoweredDisk(OnSqlite):
    """The whole service, its state on a disk whose power is cut; its relay and the log of the calls are elsewhere."""

    def __init__(self, disk):
        self.disk = disk
        self.cuts = []  # (the power went, the service had ended)
        super().__init__({"state_dir": str(disk.path / "new" / "state"), "storage.disk_watermark": "1MiB"})

    def cut_and_start(self):
        [service] = self.services
        began = self.disk.cut_power()
        self.faults += 1
        # It finds out with its next commit, is refused a second for its last answers, and ends.
        status = service.process.wait(20)
        assert status == 1, f"exit status {status} after a power cut:\n{service.process.log_text()[-2000:]}"
        self.cuts.append((began, time.time()))
        self.faults += late_records(service.process.log_text(), began)
        self.disk.power_on()
        self.start(service)

    def judge(self, *arguments):
        forget_late_answers(self.log, self.cuts)
        return super().judge(*arguments)


class ThePowerOfTheServiceGoes(unittest.TestCase):
    def setUp(self):
        self.disk = LoopDisk(192)
        self.addCleanup(self.disk.close)

    def test_d05_under_load(self):
        for number in range(SERVICE_DATABASES):
            if number:
                self.disk.format()
            with OnAPoweredDisk(self.disk) as deployment:
                with deployment.callers(rate=400):
                    for _ in range(SERVICE_CUTS):
                        deployment.log.await_more(20)
                        time.sleep(random.uniform(0, 0.4))  # the random moment is what is tested
                        deployment.cut_and_start()
                    deployment.log.await_more(50)
                deployment.assert_whole(self)
                ready = deployment.ready_seconds
                self.assertLess(sum(ready) / len(ready), 2)  # on average: others may keep the machine busy

    def test_d07_at_its_very_first_start(self):
        for number in range(SERVICE_FIRST_STARTS):
            self.disk.format()
            service = Service.configured({"state_dir": str(self.disk.path / "new" / "state"), **NO_RATES})
            with service:
                service.launch()
                acknowledged = number % 2 == 1
                if acknowledged:
                    service.await_ready()
                    service.add_app("Timesheets", "en")
                else:
                    time.sleep(random.uniform(0, random.choice((0.1, 1))))
                self.disk.cut_power()
                service.kill()
                self.disk.power_on()
                if not acknowledged:
                    service.add_app("Timesheets", "en")
                service.start()
                self.assertFalse(service.send_invite("first@example.org").fault)
        print(f"\n  {SERVICE_FIRST_STARTS} first starts with a power cut: each started again", flush=True)


if __name__ == "__main__":
    loop_disk.need()
    end_to_end.main()
