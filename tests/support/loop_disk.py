"""A disk of our own whose power can be cut: an ext4 file system on a loop device. Needs root and loop devices; `need()`
ends the script, loudly, where they are not there.

Measured on Linux 6.18: a sync that is under way while the power is cut now and then succeeds although nothing of it is on
the disk. Who loses power hears no answer, so only answers from before the cut count as given.

    with LoopDisk() as disk:
        (disk.path / "file").write_bytes(b"...")
        disk.cut_power()        # from now on nothing reaches the disk, and every sync fails
        disk.power_on()         # what was not synced is gone; the file system recovers by its own log
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

import end_to_end
from invited_service import wait_until
from postgres import folder_in_memory

# <linux/ext4.h>: _IOR('X', 125, __u32), and the flag: at once, without writing the file system's own log.
EXT4_IOC_SHUTDOWN = 0x8004587D
GOING_FLAGS_NOLOGFLUSH = 2
CLONE_NEWNS = 0x00020000


def _run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout.strip()


class LoopDisk:
    """As a context manager. Every user of its files must have closed them before `power_on` and the end."""

    def __init__(self, megabytes=64, options="noatime"):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="invited-disk-", dir=folder_in_memory()))
        self.folder.chmod(0o711)  # PostgreSQL runs as somebody else
        self.path = self.folder / "mounted"
        self.path.mkdir()
        self.image = self.folder / "image"
        self.device = ""
        with self.image.open("wb") as image:
            image.truncate(megabytes << 20)
        try:
            self.device = _run("losetup", "--find", "--show", self.image)
            self.format()
        except BaseException:
            self.close()
            raise

    def format(self):
        """Empty, and mounted."""
        self._unmount()
        _run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=1", self.device)
        self._mount()

    def _mount(self):
        _run("mount", "-t", "ext4", "-o", self.options, self.device, self.path)

    def _unmount(self):
        if not os.path.ismount(self.path):
            return
        # A process that was just killed may still be closing its files.
        wait_until(lambda: subprocess.run(["umount", self.path], capture_output=True, check=False).returncode == 0, 20,
                   f"the end of all use of {self.path}")

    def cut_power(self):
        """Nothing that was not synced will be there; every write and sync from now on fails. Returns the moment
        (time.time()) after which no answer counts."""
        began = time.time()
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", GOING_FLAGS_NOLOGFLUSH))
        finally:
            os.close(folder)
        return began

    def power_on(self):
        self._unmount()
        self._mount()

    def turn_read_only(self):
        """As ext4 does by itself when it meets an error of the disk (errors=remount-ro), with files open for writing."""
        _run("mount", "-o", "remount,errors=remount-ro", self.path)
        name = pathlib.Path(self.device).name
        pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("a test's", encoding="ascii")

    def close(self):
        self._unmount()
        if self.device:
            _run("losetup", "--detach", self.device)
            self.device = ""
        shutil.rmtree(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def small_disk(size):
    """A file system in memory; where none can be mounted, the test is skipped."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="invited-small-"))
    try:
        try:
            _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", folder)
        except OSError as error:
            raise unittest.SkipTest(f"NOT TESTED: a small disk, because none can be mounted ({error}). Run as root.") from None
        try:
            yield folder
        finally:
            _run("umount", "--lazy", folder)
    finally:
        folder.rmdir()


def need():
    """Ends the script, loudly, where such a disk cannot be made."""
    try:
        # Mounts of our own: another process's copy of this machine's mounts would keep a disk in use that we unmounted.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
        _run("mount", "--make-rprivate", "/")
        with LoopDisk(16):
            pass
    except OSError as error:
        end_to_end.skip(f"power cuts, because a loop device cannot be made and mounted here ({error}). Run as root.")
