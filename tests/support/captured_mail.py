"""The mails that a service sent, as a mail program reads them."""

import email
import email.policy
import email.utils
import functools
import re

from invited_service import wait_until


class Mail:
    """Taken apart when first asked: some tests receive thousands."""

    def __init__(self, data):
        self.bytes = data

    @functools.cached_property
    def message(self):
        return email.message_from_bytes(self.bytes, policy=email.policy.default)

    @property
    def subject(self):
        return self.message["Subject"]

    @property
    def recipient(self):
        return email.utils.parseaddr(self.message["To"])[1]

    @property
    def message_id(self):
        return self.message["Message-ID"]

    @property
    def types(self):
        return [part.get_content_type() for part in self.message.walk()]

    def _part(self, content_type):
        return next((p.get_content() for p in self.message.walk() if p.get_content_type() == content_type), "")

    @functools.cached_property
    def text(self):
        return self._part("text/plain")

    @functools.cached_property
    def html(self):
        return self._part("text/html")

    @property
    def link(self):
        """The link to the invitation: a full URL by itself on a line of the text."""
        return self._link("i")

    @property
    def reset_link(self):
        """The link to a new password, likewise."""
        return self._link("reset-password")

    def _link(self, kind):
        links = re.findall(rf"^(https?://\S+/{kind}/\S+)$", self.text.replace("\r\n", "\n"), re.MULTILINE)
        assert len(links) == 1, f"expected one link by itself on a line, found {links} in:\n{self.text}"
        return links[0]

    @property
    def token(self):
        return self.link.rsplit("/", 1)[1]


def read_all(mail_dir):
    """Every captured mail, oldest first."""
    files = sorted(mail_dir.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name)) if mail_dir.exists() else []
    return [Mail(file.read_bytes()) for file in files]


def mails_to(mail_dir, recipient):
    return [mail for mail in read_all(mail_dir) if mail.recipient.lower() == recipient.lower()]


def await_mails(mail_dir, recipient, count=1, timeout=20):
    """Waits until so many mails for `recipient` are there, and returns them, oldest first."""
    def there():
        mails = mails_to(mail_dir, recipient)
        return mails if len(mails) >= count else None
    return wait_until(there, timeout, f"mail number {count} to {recipient}")


def await_mail(mail_dir, recipient, number=1, timeout=20):
    return await_mails(mail_dir, recipient, number, timeout)[number - 1]
