"""Compares three accounts of what happened under load: the callers' log, the database, and the mails that the relay
got.

What must hold: done means exactly one invitation and at least one mail; refused means none; unknown means both or
neither. Every copy of a mail has one Message-ID and equal bytes. Nothing crosses environments. No secret stands in a
log or in the database. checker_test.py shows for each kind of finding that it is found."""

import base64
import collections
import dataclasses
import json
import pathlib
import random
import re
import uuid

from call_log import DONE, REFUSED

LOST = "done, but not stored"
TWICE = "stored twice"
STORED_THOUGH_REFUSED = "refused, but stored"
UNASKED = "stored, but never asked for"
DONE_THOUGH_WRONG = "done, though it had to be refused"
NO_MAIL = "stored, but no mail"
MAIL_WITHOUT_INVITATION = "mail without an invitation"
SECOND_MESSAGE = "more than one mail was queued"
COPIES_DIFFER = "copies of a mail differ"
TOO_MANY_COPIES = "more second copies than faults"
CROSSED = "crossed"
NOT_AUDITED = "no audit event, or several"
KEY_FORGOTTEN = "done with an Idempotency-Key that is not stored"
UNFINISHED = "mail that is not sent"
SECRET = "secret"
DAMAGED = "database damaged"
LINK = "link"

INVITATION_MAILS = ("invitation_to_sign_up", "invitation_to_accept")
# Reading a mail costs a millisecond: of many, so many are read, at random. Ids and bytes are compared of all.
MAILS_READ = 1500
TOKENS_SOUGHT = 300


@dataclasses.dataclass(frozen=True)
class Finding:
    kind: str
    what: str

    def __str__(self):
        return f"{self.kind}: {self.what}"


@dataclasses.dataclass
class Accepted:
    """A link that was followed to its end (links.py)."""

    invitation: str
    email_key: str


class Report:
    def __init__(self):
        self.findings = []
        self.copies = 0
        self.unknown_stored = 0
        self.unknown_not_stored = 0

    def add(self, kind, what):
        self.findings.append(Finding(kind, str(what)))

    @property
    def kinds(self):
        return {finding.kind for finding in self.findings}

    def text(self, most=20):
        lines = [str(finding) for finding in self.findings[:most]]
        if len(self.findings) > most:
            lines.append(f"… and {len(self.findings) - most} more")
        return "\n".join(lines)


def check(world, calls, stored, mails, accepted=(), allowed_copies=0, logs=None, secrets=None):
    """`mails`: captured_mail.Mail with envelope_to, as the relay took them, in order. `logs`: name → bytes.
    `secrets`: name → text, besides the world's and those of the mails' links."""
    report = Report()
    for problem in stored.damage:
        report.add(DAMAGED, problem)
    invitations = collections.defaultdict(list)
    for invitation in stored.invitations:
        invitations[invitation.environment, invitation.invitee_key].append(invitation)
    _check_calls(report, world, calls, stored, invitations)
    _check_rows(report, stored, accepted)
    _check_mails(report, world, stored, mails, allowed_copies)
    _check_access(report, world, stored, accepted)
    _check_secrets(report, world, mails, {**(logs or {}), "the database": stored.content}, secrets or {})
    return report


def _check_calls(report, world, calls, stored, invitations):
    intentions = collections.defaultdict(list)
    for call in calls:
        intentions[call.intention].append(call)
        if call.wrong and call.outcome == DONE:
            report.add(DONE_THOUGH_WRONG, call)
    for intention, made in intentions.items():
        found = invitations.get(intention, [])
        outcomes = {call.outcome for call in made}
        if len(found) > 1:
            report.add(TWICE, intention)
        if DONE in outcomes:
            if not found:
                report.add(LOST, intention)
        elif outcomes == {REFUSED}:
            if found:
                report.add(STORED_THOUGH_REFUSED, intention)
        elif found:
            report.unknown_stored += 1
        else:
            report.unknown_not_stored += 1
        right = [call for call in made if not call.wrong]
        for invitation in found:
            if right and not any((invitation.role, invitation.inviter) ==
                                 (call.role, world.inviter(call.inviter).account_uuid) for call in right):
                report.add(CROSSED, f"{invitation} has not the role and inviter of its call")
        for call in made:
            if call.outcome == DONE and call.key and (call.environment, call.key) not in stored.keys:
                report.add(KEY_FORGOTTEN, call)
    for intention in invitations.keys() - intentions.keys():
        report.add(UNASKED, intention)


def _check_rows(report, stored, accepted):
    created = collections.Counter(stored.created)
    queued = collections.defaultdict(list)
    for message in stored.messages:
        queued[message.invitation].append(message)
        if message.state != "sent":
            report.add(UNFINISHED, message)
    followed = {one.invitation for one in accepted}
    for invitation in stored.invitations:
        if created.pop(invitation.id, 0) != 1:
            report.add(NOT_AUDITED, invitation)
        messages = queued.pop(invitation.id, [])
        if not messages:
            report.add(NO_MAIL, invitation)
        if len(messages) > 1:
            report.add(SECOND_MESSAGE, invitation)
        for message in messages:
            if (message.environment, message.recipient_key) != (invitation.environment, invitation.invitee_key):
                report.add(CROSSED, f"{message} belongs to {invitation}")
        expected = "accepted" if invitation.id in followed else "pending"
        if (invitation.state, invitation.generation) != (expected, "1"):
            report.add(LINK, f"{invitation} should be {expected}")
    for subject in created:
        report.add(NOT_AUDITED, f"an event, but no invitation {subject}")
    for messages in queued.values():
        report.add(MAIL_WITHOUT_INVITATION, messages[0])


def message_id(mail):
    """The left part: the id of the outbox message."""
    return re.search(rb"^Message-ID:\s+<([^@>]+)@", mail.bytes, re.MULTILINE | re.IGNORECASE).group(1).decode()


def token_subject(token):
    """Invitation id and generation (src/domain/token.h)."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return str(uuid.UUID(bytes=raw[2:18])), int.from_bytes(raw[18:22], "big")


def _check_mails(report, world, stored, mails, allowed_copies):
    messages = {message.id: message for message in stored.messages}
    invitations = {invitation.id: invitation for invitation in stored.invitations}
    names = {inviter.account_uuid: inviter.name for inviter in world.inviters}
    copies = collections.defaultdict(list)
    for mail in mails:
        copies[message_id(mail)].append(mail)
    report.copies = len(mails) - len(copies)
    if report.copies > allowed_copies:
        report.add(TOO_MANY_COPIES, f"{report.copies}, at most {allowed_copies}")
    for identity, found in copies.items():
        if len({mail.bytes for mail in found}) > 1:
            report.add(COPIES_DIFFER, identity)
        message = messages.get(identity)
        invitation = invitations.get(message.invitation) if message else None
        if invitation is None:
            report.add(MAIL_WITHOUT_INVITATION, f"{identity} to {found[0].envelope_to}")
            continue
        for mail in found:
            if [to.lower() for to in mail.envelope_to] != [invitation.invitee_key]:
                report.add(CROSSED, f"mail {identity} went to {mail.envelope_to}, not to {invitation.invitee_key}")
    for message in stored.messages:
        if message.state == "sent" and message.id not in copies:
            report.add(NO_MAIL, f"{message} is noted as sent")
    for identity in random.sample(sorted(copies), min(MAILS_READ, len(copies))):
        message = messages.get(identity)
        invitation = invitations.get(message.invitation) if message else None
        if invitation is not None:
            _check_content(report, world, names, invitation, copies[identity][0])


def _check_content(report, world, names, invitation, mail):
    environment = world.find_environment(invitation.environment)
    if environment is None:
        report.add(CROSSED, f"{invitation} is of no environment")
        return
    app = environment.app
    text = " ".join(mail.text.split())
    for what, name in (("app", app.name), ("role", app.roles.get(invitation.role, "?")),
                       ("inviter", names.get(invitation.inviter, "?"))):
        if name not in text:
            report.add(CROSSED, f"the mail to {mail.envelope_to} does not name the {what} of its call, {name}")
    for other in world.apps:
        if other is not app and (other.name in text or any(role in text for role in other.roles.values())):
            report.add(CROSSED, f"the mail to {mail.envelope_to} names another app or its role, {other.name}")
    if token_subject(mail.token) != (invitation.id, int(invitation.generation)):
        report.add(CROSSED, f"the link to {mail.envelope_to} is another invitation's")


def _check_access(report, world, stored, accepted):
    """Nobody has access but the inviters and who followed a link, each to what that link was for."""
    invitations = {invitation.id: invitation for invitation in stored.invitations}
    expected = set(world.access)
    for one in accepted:
        invitation = invitations.get(one.invitation)
        account = stored.accounts.get(one.email_key)
        if invitation is None or account is None:
            report.add(LINK, f"accepted, but invitation or account is not stored: {one}")
        else:
            expected.add((account, invitation.environment, invitation.role))
    for row in sorted(expected - stored.access):
        report.add(LINK, f"the access is not there: {row}")
    for row in sorted(stored.access - expected):
        report.add(CROSSED, f"access that nobody was given: {row}")


def key_file_secrets(keys_file):
    """The keys of a service's keys.json: peppers and what signs links."""
    keys = json.loads(pathlib.Path(keys_file).read_text(encoding="utf-8"))
    found = {name: keys[name] for name in ("pepper", "csrf_key")}
    found.update({f"token key {entry['id']}": entry["key"] for entry in keys["token_keys"]})
    return found


def _check_secrets(report, world, mails, places, secrets):
    sought = {**world.secrets(), **secrets}
    for mail in random.sample(mails, min(TOKENS_SOUGHT, len(mails))):
        sought[f"the link in mail {message_id(mail)}"] = mail.token[-43:]  # the part that cannot be guessed
    for place, content in places.items():
        for name, value in sought.items():
            if value.encode() in content:
                report.add(SECRET, f"{name} stands in {place}")
