"""What the database holds, as the checker compares it: rows as text, whichever engine they are in. Access to a
database is one small class for each engine; everything else here is the same."""

import csv
import dataclasses
import io
import pathlib
import sqlite3
import subprocess


class SqliteDatabase:
    """Read-only, while no service has it open."""

    def __init__(self, file):
        self.file = pathlib.Path(file)

    def size(self):
        """Bytes, without the log; also while a service has it open."""
        return self.file.stat().st_size

    def rows(self, sql):
        """Every value as text, or None."""
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        try:
            return [tuple(None if value is None else str(value) for value in row) for row in connection.execute(sql)]
        finally:
            connection.close()

    def damage(self):
        """What is wrong with the file; nothing if it is whole."""
        problems = [text for (text,) in self.rows("PRAGMA integrity_check") if text != "ok"]
        return problems + [f"foreign key: {row}" for row in self.rows("PRAGMA foreign_key_check")]

    def content(self):
        """All of it, for looking for what must not be there."""
        return b"".join(file.read_bytes() for file in self.file.parent.glob(self.file.name + "*"))


class PostgresDatabase:
    """Through psql and pg_dump. `url`: of a role that may read everything."""

    def __init__(self, url):
        self.url = url

    @staticmethod
    def _run(*command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def rows(self, sql):
        out = self._run("psql", "-X", "-q", "--csv", "-t", "-P", r"null=\N", "-v", "ON_ERROR_STOP=1", "-d", self.url,
                        "-c", sql)
        return [tuple(None if value == r"\N" else value for value in row)
                for row in csv.reader(io.StringIO(out.decode("utf-8")))]

    def damage(self):
        return []  # checked by the server: page checksums, constraints

    def content(self):
        return self._run("pg_dump", "-d", self.url)


@dataclasses.dataclass(frozen=True)
class Invitation:
    id: str
    environment: str
    role: str
    inviter: str       # account UUID
    invitee_key: str
    state: str
    generation: str


@dataclasses.dataclass(frozen=True)
class Message:
    id: str
    kind: str
    state: str
    environment: str
    invitation: str
    generation: str
    recipient_key: str
    app_name: str
    role_name: str
    inviter_name: str


@dataclasses.dataclass
class Stored:
    """A database at one moment."""

    invitations: list
    messages: list
    created: list          # subject ids of the audit events "invitation.created"
    keys: set              # (environment UUID, Idempotency-Key)
    access: set            # (account UUID, environment UUID, role UUID)
    accounts: dict         # address key → account UUID
    damage: list
    content: bytes = b""

    @classmethod
    def read(cls, database):
        rows = database.rows
        damage = database.damage()
        return cls(
            [Invitation(*row) for row in rows("SELECT id, environment_id, role_id, inviter_id, invitee_key, state, generation "
                                              "FROM invitation")],
            [Message(*row) for row in rows("SELECT id, kind, state, environment_id, invitation_id, generation, "
                                           "recipient_key, app_name, role_name, inviter_name FROM outbox_message")],
            [subject for (subject,) in rows("SELECT subject_id FROM audit_event WHERE action = 'invitation.created'")],
            set(rows("SELECT environment_id, key FROM idempotency_record")),
            set(rows("SELECT account_id, environment_id, role_id FROM access")),
            dict(rows("SELECT email_key, id FROM account")), damage, database.content())
