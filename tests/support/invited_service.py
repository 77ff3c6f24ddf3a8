"""Runs the real program for tests: starts it (`invited demo` or `invited serve`) on a free port with a temporary
folder, waits for the line that says it is ready, keeps its log, runs its commands, stops or kills it.

Nothing is replaced: what is talked to is the binary named by INVITED_BINARY.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import soap_client
import web_client

READY_TIMEOUT = 60
# A busy machine makes tests slow, not wrong.
PATIENT = {"http.queue_wait": "30s"}
# No limits: for tests that are not about them. The settings' names are those of the table in src/config.cpp.
NO_RATES = {
    "rates.environment_per_second": 0,
    "rates.environment_per_day": 0,
    "rates.inviter_per_hour": 0,
    "rates.inviter_per_day": 0,
    "rates.mailbox_per_minute": 0,
    "rates.mailbox_per_hour": 0,
    "rates.mailbox_per_day": 0,
    "rates.sign_ups_per_minute": 0,
    "rates.wrong_links_per_5_minutes": 0,
    "rates.wrong_passwords_per_minute": 0,
}


def binary():
    path = os.environ.get("INVITED_BINARY", "")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"INVITED_BINARY must name the program to test, and it is {path!r}")
    return os.path.abspath(path)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout=20, what="the expected state"):
    """Asks until `condition()` is true, for states that no event tells of; returns what it returned."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {timeout} s")
        time.sleep(0.01)


def environment_variables(settings):
    """Settings as the program reads them from its environment: mail.host is INVITED_MAIL_HOST."""
    return {"INVITED_" + name.replace(".", "_").upper(): str(value) for name, value in settings.items()}


def toml(settings):
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


class CommandFailed(AssertionError):
    def __init__(self, arguments, result):
        super().__init__(f"invited {' '.join(arguments)}: exit {result.returncode}: {result.stderr or result.stdout}")
        self.returncode = result.returncode
        self.stdout = result.stdout
        self.stderr = result.stderr


class Process:
    """One run of the program. Its standard error is kept, and tests can wait for a line of it."""

    def __init__(self, arguments, log_file, environment=None, command_prefix=()):
        self._log = open(log_file, "ab")
        self._changed = threading.Condition()
        self._log_lines = []
        self._out_lines = []
        self._open_streams = 2
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
        self.child = subprocess.Popen([*command_prefix, binary(), *arguments], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env={**clean, **(environment or {})})
        self._readers = [threading.Thread(target=self._read, args=(stream, lines), daemon=True)
                         for stream, lines in ((self.child.stdout, self._out_lines),
                                               (self.child.stderr, self._log_lines))]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            with self._changed:
                self._log.write(line)
                self._log.flush()
                lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    def _await(self, lines, pattern, timeout, start):
        expression = re.compile(pattern)
        end = time.monotonic() + timeout
        seen = start
        with self._changed:
            while True:
                for line in lines[seen:]:
                    if expression.search(line):
                        return line
                seen = len(lines)
                left = end - time.monotonic()
                if self._open_streams == 0 or left <= 0:
                    tail = "\n".join((self._log_lines + self._out_lines)[-15:])
                    ending = "ended" if self._open_streams == 0 else f"said nothing for {timeout} s"
                    raise AssertionError(f"invited {ending} without a line like {pattern!r}:\n{tail}")
                self._changed.wait(left)

    def await_log(self, pattern, timeout=20, start=0):
        """The first line of the log from line `start` on that `pattern` is found in."""
        return self._await(self._log_lines, pattern, timeout, start)

    def await_output(self, pattern, timeout=READY_TIMEOUT):
        return self._await(self._out_lines, pattern, timeout, 0)

    def log_length(self):
        with self._changed:
            return len(self._log_lines)

    def log_text(self):
        with self._changed:
            return "\n".join(self._log_lines)

    def output_text(self):
        with self._changed:
            return "\n".join(self._out_lines)

    def is_running(self):
        return self.child.poll() is None

    def end(self, how=signal.SIGTERM, timeout=40):
        """Ends the program and returns its exit status (negative: the signal that ended it)."""
        if self.child.poll() is None:
            self.child.send_signal(how)
        return self.wait(timeout)

    def wait(self, timeout=40):
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(f"invited did not end within {timeout} s:\n{self.log_text()[-2000:]}") from None
        finally:
            for reader in self._readers:
                reader.join()
            self._log.close()
            self.child.stdout.close()
            self.child.stderr.close()
        return self.child.returncode


class Service:
    """An invited service with one app, one environment, one inviter: what `invited demo` makes, or the same made by
    hand for `invited serve`. Use as a context manager; the folder goes when all went well."""

    def __init__(self, kind, settings=None, environment=None, command_prefix=()):
        self.kind = kind
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"invited-{kind}-"))
        self.state_dir = self.folder / "state"
        self.log_file = self.folder / "invited.log"
        self.settings = {**PATIENT, **(settings or {})}
        self.environment = dict(environment or {})
        self.command_prefix = tuple(command_prefix)
        self.process = None
        self.port = 0

    # --- making one -----------------------------------------------------------------------------------------

    @classmethod
    def demo(cls, settings=None, **options):
        service = cls("demo", settings, **options)
        service.start()
        return service

    @classmethod
    def serve(cls, settings=None, app_name="Timesheets & <Co>", app_language="en", **options):
        service = cls.configured(settings, **options)
        service.add_app(app_name, app_language)
        service.start()
        return service

    @classmethod
    def configured(cls, settings=None, **options):
        """For `invited serve`: with its configuration file, and nothing else yet."""
        service = cls("serve", settings, **options)
        service.port = free_port()
        service.mail_dir = service.folder / "mail"
        defaults = {"state_dir": str(service.state_dir), "http.listen": f"127.0.0.1:{service.port}",
                    "mail.transport": "directory", "mail.directory": str(service.mail_dir),
                    "mail.from": "invitations@invited.example"}
        service.settings = {**defaults, **service.settings}
        service.state_dir = pathlib.Path(service.settings["state_dir"])
        service.write_config()
        return service

    def add_app(self, name, language):
        app = self.cli("app", "add", "--name", name, "--url", "https://timesheets.example.org/", "--language", language)
        self.app_uuid, self.app_name = app["app_uuid"], name
        role = self.cli("role", "add", "--app", self.app_uuid, "--name", "Team member")
        other = self.cli("role", "add", "--app", self.app_uuid, "--name", "Manager")
        environment = self.cli("environment", "add", "--app", self.app_uuid, "--name", "production")
        self.role_uuid, self.role_name = role["role_uuid"], "Team member"
        self.other_role_uuid, self.other_role_name = other["role_uuid"], "Manager"
        self.environment_uuid = environment["environment_uuid"]
        self.environment_password = environment["environment_password"]
        self.inviter_email, self.inviter_name = "ina.viter@example.org", "Ina Viter"
        self.cli("account", "add", "--email", self.inviter_email, "--name", self.inviter_name)
        self.cli("access", "grant", "--environment", self.environment_uuid, "--email", self.inviter_email, "--role",
                 self.other_role_uuid)

    def beside(self, settings=None, **options):
        """Another instance on the same PostgreSQL, with the same keys and, as behind a proxy, the same address for people;
        the folder, port and log are its own. Not started."""
        other = Service("serve", **options)
        other.port = free_port()
        other.mail_dir = other.folder / "mail"
        other.settings = {"public_url": f"http://127.0.0.1:{self.port}", **self.settings,
                          "state_dir": str(other.state_dir), "http.listen": f"127.0.0.1:{other.port}",
                          "mail.directory": str(other.mail_dir), **(settings or {})}
        other.write_config()
        other.state_dir.mkdir(mode=0o700)
        shutil.copy2(self.state_dir / "keys.json", other.state_dir)
        for name in ("app_uuid", "app_name", "role_uuid", "role_name", "other_role_uuid", "other_role_name",
                     "environment_uuid", "environment_password", "inviter_email", "inviter_name"):
            setattr(other, name, getattr(self, name))
        return other

    def write_config(self):
        self.config_file = self.folder / "invited.toml"
        self.config_file.write_text(toml(self.settings), encoding="utf-8")

    # --- running it -----------------------------------------------------------------------------------------

    def start(self, environment=None, arguments=()):
        """Starts the program (again) and returns when it says that it is ready."""
        self.launch(environment, arguments)
        self.await_ready()

    def launch(self, environment=None, arguments=()):
        own = {**self.environment, **(environment or {})}
        if self.kind == "demo":
            command = ["demo", "--json", "--listen", "127.0.0.1:0", "--state-dir", str(self.state_dir)]
            own = {**environment_variables(self.settings), **own}
        else:
            command = ["serve", "--config", str(self.config_file)]
        self.process = Process([*command, *arguments], self.log_file, own, self.command_prefix)

    def await_ready(self):
        if self.kind == "demo":
            facts = json.loads(self.process.await_output(r"^\{"))
            for name, value in facts.items():
                setattr(self, name, value)
            self.mail_dir = pathlib.Path(self.mail_dir)
            self.port = int(self.base_url.rsplit(":", 1)[1].strip("/"))
        else:
            if self.settings.get("log.level") in ("warning", "error"):  # it does not say so
                wait_until(self.is_ready, READY_TIMEOUT, "readiness")
            else:
                self.process.await_log(r"\bservice\.started\b", READY_TIMEOUT)
            self.base_url = self.settings.get("public_url", f"http://127.0.0.1:{self.port}")
            self.wsdl_url = f"{self.base_url}/ws/InviteAPI/1/soap1?wsdl"

    def is_ready(self):
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def stop(self):
        """SIGTERM, as a service manager does it; it must end in good order."""
        status = self.process.end()
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.process.log_text()[-2000:]}"

    def kill(self):
        self.process.end(signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        running = self.process is not None and self.process.is_running()
        if kind is None:
            if running:
                self.stop()
            shutil.rmtree(self.folder)
            return
        if self.process is not None:
            self.process.end(signal.SIGKILL)
        print(f"--- the service's folder is kept: {self.folder}; the end of its log:\n"
              f"{self.log_file.read_text(errors='replace')[-4000:] if self.log_file.exists() else ''}")

    # --- talking to it --------------------------------------------------------------------------------------

    def cli(self, *arguments, stdin=None):
        """A command of the program with --json, as an operator's script calls it; returns what it printed."""
        which = ["--config", str(self.config_file)] if self.kind == "serve" else ["--state-dir", str(self.state_dir)]
        command = [*arguments, *which, "--json"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
        result = subprocess.run([binary(), *command], input=stdin or "", capture_output=True, text=True, timeout=60,
                                env=clean, check=False)
        if result.returncode != 0:
            raise CommandFailed(command, result)
        return json.loads(result.stdout)

    def request(self, method, path, body=None, headers=None, **options):
        return web_client.request(self.port, method, path, body, headers, **options)

    def person(self, **options):
        """A browser without JavaScript: cookies, forms, nothing else."""
        return web_client.Person(self.port, **options)

    def invite_parameters(self, invitee, **changes):
        parameters = {"EnvironmentUUID": self.environment_uuid, "EnvironmentPassword": self.environment_password,
                      "RoleUUID": self.role_uuid, "InviteeEmailAddress": invitee,
                      "InviterEmailAddress": self.inviter_email}
        parameters.update(changes)
        return {name: value for name, value in parameters.items() if value is not None}

    def send_invite(self, invitee, soap=soap_client.SOAP_11, headers=None, **changes):
        """One SendInvite by raw HTTP; `changes` replace parameters, None leaves one out."""
        return soap_client.send_invite(self.port, self.invite_parameters(invitee, **changes), soap, headers)

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.process.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
