"""Disks that fill up or turn read-only, and files that are deleted, replaced or damaged, under the whole service. It
refuses, or ends with a line that says what to do, and nothing acknowledged is lost (D11, D14, D15, D16)."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "support"), str(HERE.parent / "load")]

import captured_mail
import end_to_end
import invited_service
import links
import loop_disk
from call_log import DONE, REFUSED, UNKNOWN
from deployment import OnSqlite
from invited_service import NO_RATES, Service, wait_until
from loop_disk import LoopDisk, small_disk

FULL_DISKS = end_to_end.rounds(2, 20)
NO_WATERMARK = {"storage.disk_watermark": "0"}


def fill(folder):
    """Every free byte; returns the file to delete."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


class TheDiskIsFull(unittest.TestCase):
    def test_d11_it_refuses_lives_and_recovers(self):
        """A small tmpfs, filled to its last byte under load, again and again: no room for the log of the database until it
        is due to be written back."""
        with small_disk(end_to_end.rounds("6m", "32m")) as folder, \
                OnSqlite({"state_dir": str(folder / "state"), **NO_WATERMARK}) as deployment:
            [service] = deployment.services
            with deployment.callers(rate=150):
                for _ in range(FULL_DISKS):
                    deployment.log.await_more(30)
                    ballast = fill(folder)
                    deployment.faults += 1
                    # Also the log's left-over space must be used up.
                    wait_until(lambda: self.outcomes(deployment)[-20:] == [REFUSED] * 20, 20, "refusals only")
                    # What readiness writes to find out is less than an invitation: it may have room for longer.
                    wait_until(lambda: service.request("GET", "/readyz").status == 503, 10, "readiness that is denied")
                    self.assertEqual(service.request("GET", "/healthz").status, 200)
                    ballast.unlink()
                    began = time.monotonic()
                    wait_until(lambda: self.outcomes(deployment)[-1] == DONE, 10, "an invitation that is taken again")
                    print(f"\n  taken again {time.monotonic() - began:.2f} s after there was space", flush=True)
            self.assertIn("unavailable", {call.code for call in deployment.log.calls()})
            self.assertNotIn(UNKNOWN, self.outcomes(deployment))
            deployment.assert_whole(self)

    @staticmethod
    def outcomes(deployment):
        return [call.outcome for call in deployment.log.calls() if not call.wrong]

    def test_d13_below_the_watermark_only_what_is_owed_goes_on(self):
        # Far more than what is stored meanwhile, the log of the database included.
        with small_disk("64m") as folder, \
                Service.serve({"state_dir": str(folder / "state"), "storage.disk_watermark": "16MiB", **NO_RATES}) as service:
            self.assertFalse(service.send_invite("before@example.org").fault)
            mail = captured_mail.await_mail(service.mail_dir, "before@example.org")
            ballast = folder / "ballast"
            ballast.write_bytes(b"x" * (52 << 20))
            self.assertTrue(self.refused(service))
            service.process.await_log(r"storage\.disk_short")
            mail.envelope_to = ["before@example.org"]
            accepted, findings = links.follow(service, [mail])
            self.assertEqual(findings, [])
            self.assertEqual(len(accepted), 1)
            ballast.unlink()
            wait_until(lambda: not self.refused(service), 5, "an invitation that is taken again")

    @staticmethod
    def refused(service):
        """Of the watermark: asked at most four times a second, so not at once."""
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            answer = service.send_invite(f"short-{time.monotonic_ns()}@example.org")
            if answer.fault:
                assert answer.code == "unavailable", answer.code
                return True
        return False


class TheDiskTurnsReadOnly(unittest.TestCase):
    def test_d14_it_ends_and_starts_again_when_the_disk_is_well(self):
        with LoopDisk(64) as disk, OnSqlite({"state_dir": str(disk.path / "state"), **NO_WATERMARK}) as deployment:
            [service] = deployment.services
            with deployment.callers(rate=200):
                deployment.log.await_more(30)
                disk.turn_read_only()
                turned = time.time()
                self.assertEqual(service.process.wait(10), 1)
                deployment.faults += 1
                calls = [call for call in deployment.log.calls() if call.outcome == DONE]
                stored = {call.intention for call in calls if call.at <= turned}
                # To a call that is made again nothing is written: what it asks for is there.
                self.assertEqual([call for call in calls if call.at > turned and call.intention not in stored], [])
                # As long as it is read-only a start fails too, and says so.
                service.launch()
                self.assertEqual(service.process.wait(10), 1)
                self.assertRegex(service.process.log_text(), r"(?i)read-?only")
                disk.power_on()
                deployment.start(service)
                deployment.log.await_more(30)
            deployment.assert_whole(self)


class FilesAreChangedUnderIt(unittest.TestCase):
    def test_d15_deleted_or_replaced_it_ends_and_acknowledges_nothing_into_nowhere(self):
        cases = [("", False), ("-wal", True), (".lock", False), ("", True), ("-wal", False), (".lock", True)]
        for ending, replaced in cases[:end_to_end.rounds(3, 6)]:
            for _ in range(end_to_end.rounds(1, 5)):
                with self.subTest(file=f"invited.db{ending}", replaced=replaced), OnSqlite() as deployment:
                    [service] = deployment.services
                    file = service.state_dir / f"invited.db{ending}"
                    moved = file.with_name("moved")
                    with deployment.callers(rate=200):
                        deployment.log.await_more(20)
                        os.rename(file, moved)
                        if replaced:
                            shutil.copyfile(moved, file)
                        self.assertEqual(service.process.wait(10), 1)
                        self.assertIn(str(file), service.process.log_text())
                        deployment.faults += 1
                        # What the remedy says: bring it back. Nothing that was acknowledged is missing then.
                        os.replace(moved, file)
                        deployment.start(service)
                        deployment.log.await_more(20)
                    deployment.assert_whole(self)


class FilesAreDamaged(unittest.TestCase):
    def start(self, service):
        """What a start says that is refused."""
        began = time.monotonic()
        result = subprocess.run([invited_service.binary(), "serve", "--config", service.config_file], capture_output=True,
                                text=True, timeout=20, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertLess(time.monotonic() - began, 10)
        return result.stderr

    def check(self, service):
        """The database's line of `invited check`."""
        result = subprocess.run([invited_service.binary(), "check", "--config", service.config_file], capture_output=True,
                                text=True, timeout=60, check=False)
        [line] = re.findall(r"^\w+ +database .*$", result.stdout, re.MULTILINE)
        return result.returncode, line

    def expect_refusal(self, service, what):
        state = {file.name: file.read_bytes() for file in service.state_dir.iterdir() if file.name.startswith("invited.db")}
        said = self.start(service)
        self.assertRegex(said, f"is damaged: .*{what}")
        self.assertIn("Restore your newest backup", said)
        self.assertIn("Nothing was changed", said)
        status, line = self.check(service)
        self.assertEqual(status, 1)
        self.assertRegex(line, f"^failed .*{what}")
        for name, before in state.items():
            if not name.endswith(("-shm", ".lock")):
                self.assertEqual((service.state_dir / name).read_bytes(), before, name)

    def test_d16_a_flipped_byte_in_the_database(self):
        with Service.serve() as service:
            self.assertRegex(self.check(service)[1], "^ok ")
            service.stop()
            file = service.state_dir / "invited.db"
            content = bytearray(file.read_bytes())
            whole = bytes(content)
            content[3 * 4096] ^= 0x7F  # says what kind of page it is
            file.write_bytes(content)
            self.expect_refusal(service, "")
            file.write_bytes(whole)
            service.start()

    def test_d16_a_flipped_byte_in_the_log(self):
        with Service.serve(NO_RATES) as service:
            for number in range(5):
                self.assertFalse(service.send_invite(f"guest-{number}@example.org").fault)
            service.kill()
            file = service.state_dir / "invited.db-wal"
            content = bytearray(file.read_bytes())
            whole = bytes(content)
            content[32 + 24 + 100] ^= 1  # in the first page
            file.write_bytes(content)
            self.expect_refusal(service, "the log .* in frame 1,")
            file.write_bytes(whole)
            service.start()
            self.assertEqual(len(service.cli("invitation", "list")), 5)


if __name__ == "__main__":
    loop_disk.need()
    end_to_end.main()
