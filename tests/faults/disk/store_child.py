"""The store alone in a process (tests/faults/storage/store_child.cpp): it invites numbered people on many threads and
notes each answer, and is compared afterwards with what the database holds."""

import os
import sqlite3
import subprocess

import end_to_end

THREADS = 8


class StoreChild:
    def __init__(self, database, notes, first, io_fault="", checkpoint_pages=None):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
        if io_fault:
            environment |= {"LD_PRELOAD": str(end_to_end.BUILD_DIR / "tests" / "io_fault.so"),
                            "INVITED_IO_FAULT": io_fault}
        if checkpoint_pages:
            environment["STORE_CHILD_CHECKPOINT_PAGES"] = str(checkpoint_pages)
        self.child = subprocess.Popen(
            [end_to_end.BUILD_DIR / "tests" / "store_child", database, notes, str(THREADS), "-1", str(first)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)

    def await_ready(self):
        assert self.child.stdout.readline() == b"ready\n", f"it ended with {self.child.wait(20)}"

    def wait(self):
        """It ends by itself once it can store nothing more."""
        try:
            return self.child.wait(20)
        finally:
            self.child.kill()
            self.child.wait()
            self.child.stdout.close()

    def kill(self):
        self.child.kill()
        return self.wait()


def read_notes(file, before=None):
    """Answer → numbers. `before`: the file's size when the power went; what was acknowledged later counts as unknown."""
    notes = {"ok": set(), "no": set(), "unknown": set()}
    if file.exists():
        text = file.read_text(encoding="ascii")
        given = len(text) if before is None else before
        at = 0
        for line in text.splitlines(keepends=True):
            at += len(line)
            answer, number = line.split()
            notes["unknown" if answer == "ok" and at > given else answer].add(int(number))
    return notes


class Damaged(Exception):
    """What SQLite says of the database."""


def expect_whole(connection):
    try:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        found += [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.OperationalError:  # it cannot be opened, or is locked
        raise
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from error
    if found:
        raise Damaged(found)


def stored_numbers(database):
    """Number → how many invitations, mails, audit events. Opening recovers, as any start does; the whole is checked
    (raises Damaged)."""
    if not database.exists():
        return {}
    rows = {}
    connection = sqlite3.connect(database)
    try:
        expect_whole(connection)
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox_message'").fetchall():
            return {}  # died in its first moment: nothing was acknowledged, which is compared
        for position, query in enumerate((
                "SELECT invitee_key FROM invitation", "SELECT recipient_key FROM outbox_message",
                "SELECT invitee_key FROM audit_event JOIN invitation ON invitation.id = audit_event.subject_id")):
            for (key,) in connection.execute(query):
                rows.setdefault(int(key[1:key.index("@")]), [0, 0, 0])[position] += 1
    finally:
        connection.close()
    return rows


def differences(notes, rows):
    """What must not be, as sentences."""
    found = [f"acknowledged and lost: {number}" for number in notes["ok"] - rows.keys()]
    found += [f"refused and there: {number}" for number in notes["no"] & rows.keys()]
    found += [f"not whole: {number} {counts}" for number, counts in rows.items() if counts != [1, 1, 1]]
    return found
