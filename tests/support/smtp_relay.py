"""A real SMTP server for tests (aiosmtpd) with STARTTLS or implicit TLS and AUTH, and a certificate authority made on
the fly. It can be stopped and started again on its port, and told to refuse the password or a recipient."""

import asyncio
import datetime
import logging
import pathlib
import secrets
import ssl
import threading
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from captured_mail import Mail
from invited_service import free_port

USER = "invited"
PASSWORD = "relay secret with blanks"

# It logs each handshake that is meant to fail.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Authority:
    """A certificate authority and one certificate for `host`, as PEM files in `folder`; both end after `lifetime`."""

    def __init__(self, folder, host="localhost", lifetime=datetime.timedelta(days=2)):
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test authority {secrets.token_hex(4)}")])

        def certificate(subject, key, extensions):
            builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(authority_name)
                       .public_key(key.public_key()).serial_number(x509.random_serial_number())
                       .not_valid_before(begin).not_valid_after(begin + lifetime))
            for extension, critical in extensions:
                builder = builder.add_extension(extension, critical)
            return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

        self.ca_file = folder / "authority.pem"
        self.ca_file.write_bytes(certificate(authority_name, authority_key,
                                             [(x509.BasicConstraints(ca=True, path_length=0), True)]))
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host)]
        self.certificate_file = folder / "relay.pem"
        self.certificate_file.write_bytes(
            certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), key,
                        [(x509.SubjectAlternativeName(names), False)])
            + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption()))

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file)
        return context


class Relay:
    """`tls`: "starttls" (required), "implicit", or "off" (no AUTH either)."""

    def __init__(self, authority=None, tls="starttls", without=()):
        """`without`: AUTH mechanisms that are not offered."""
        self.authority = authority
        self.without = without
        self.tls = tls
        self.port = free_port()
        self.password = PASSWORD
        self.refused_recipients = set()
        self.replies = {}    # recipient → what one mail to it is answered, instead of being taken
        self.answers = threading.Event()  # cleared: whoever has sent a mail waits for the answer
        self.answers.set()
        self.sessions = []   # (over TLS?, AUTH mechanism or None) of each mail taken
        self.before_answer = None  # called with each mail between its final dot and our 250
        self._mails = []
        self._unanswered = 0
        self._changed = threading.Condition()
        self._controller = None

    def settings(self, folder=None):
        """What `invited` needs to send through this relay; the password's file, with TLS, is made in `folder`."""
        settings = {"mail.transport": "smtp", "mail.host": "localhost", "mail.port": self.port, "mail.tls": self.tls,
                    "mail.from": "invitations@invited.example"}
        if self.tls != "off":
            self.write_password(folder, PASSWORD)
            settings.update({"mail.user": USER, "mail.password_file": str(pathlib.Path(folder) / "relay-password"),
                             "mail.ca_file": str(self.authority.ca_file)})
        return settings

    @staticmethod
    def write_password(folder, password):
        file = pathlib.Path(folder) / "relay-password"
        file.touch(mode=0o600)
        file.write_text(password + "\n", encoding="utf-8")

    def start(self):
        relay = self

        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address in relay.refused_recipients:
                    return "550 5.1.1 No such person here"
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                mail = Mail(envelope.original_content)
                mail.envelope_from, mail.envelope_to = envelope.mail_from, list(envelope.rcpt_tos)
                reply = relay.reply_instead(mail, server)
                with relay._changed:
                    relay._unanswered += 1
                    relay._changed.notify_all()
                while not relay.answers.is_set():
                    await asyncio.sleep(0.005)
                with relay._changed:
                    relay._unanswered -= 1
                    if reply:
                        return reply
                    relay.keep(mail, session)
                    relay._changed.notify_all()
                if relay.before_answer:
                    relay.before_answer(mail)
                return "250 2.0.0 Taken"

        def authenticate(server, session, envelope, mechanism, data):
            right = (data.login, data.password) == (USER.encode(), relay.password.encode())
            session.auth_mechanism = mechanism
            return AuthResult(success=right, handled=False)

        options = {"hostname": "127.0.0.1", "port": self.port, "ready_timeout": 20}
        if self.tls == "starttls":
            options |= {"tls_context": self.authority.context(), "require_starttls": True, "auth_required": True,
                        "authenticator": authenticate, "auth_exclude_mechanism": self.without}
        elif self.tls == "implicit":
            options |= {"auth_required": True, "authenticator": authenticate, "auth_require_tls": False}
            self._controller = _ImplicitTls(Handler(), ssl_context=self.authority.context(), **options)
        if self.tls != "implicit":
            self._controller = Controller(Handler(), **options)
        self._controller.start()
        return self

    def stop(self):
        if self._controller:
            self._controller.stop()
            self._controller = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def reply_instead(self, mail, server):
        """The reply to a mail that is not taken, or None."""
        return self.replies.pop(mail.envelope_to[0], None)

    def keep(self, mail, session):
        self._mails.append(mail)
        self.sessions.append((session.ssl is not None or self.tls == "implicit",
                              getattr(session, "auth_mechanism", None)))

    def mails(self, recipient=None):
        with self._changed:
            return [mail for mail in self._mails if recipient is None or mail.envelope_to == [recipient]]

    def await_unanswered(self, number, timeout=30):
        """Until so many mails wait for their answer (`answers`)."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._unanswered >= number, timeout), \
                f"only {self._unanswered} of {number} mails have been sent within {timeout} s"

    def await_mail(self, recipient, number=1, timeout=30):
        with self._changed:
            there = lambda: len([m for m in self._mails if m.envelope_to == [recipient]]) >= number
            assert self._changed.wait_for(there, timeout), \
                f"mail {number} to {recipient} did not come within {timeout} s"
        return self.mails(recipient)[number - 1]


class _ImplicitTls(Controller):
    def factory(self):
        with warnings.catch_warnings():  # of AUTH over what it does not know to be TLS
            warnings.simplefilter("ignore")
            return SMTP(self.handler, **self.SMTP_kwargs)
