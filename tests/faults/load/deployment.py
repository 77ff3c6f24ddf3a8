"""A service under load with all that is needed to judge it afterwards: its relay, which keeps every copy of every
mail, the world that is called in, the log of the calls, the database, everything that was logged."""

import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import checker
import end_to_end
import links
import postgres
from call_log import DONE, CallLog
from invited_service import NO_RATES, CommandFailed, Service
from load_caller import REPEATS, LoadCaller
from smtp_relay import Relay
from stored import PostgresDatabase, SqliteDatabase, Stored
from world import World

# How many are followed to their end; each costs an Argon2.
LINKS = end_to_end.rounds(3, 20)
PERSON_SECRETS = {"the password of those who accepted": links.PASSWORD, "a wrong password": "a wrong password"}


class Deployment:
    """What is the same on both databases. As a context manager; the services' folders are kept when something went
    wrong."""

    def __init__(self, settings=None):
        self.services = []
        self.log = CallLog()
        self.relay = Relay(tls="off").start()
        try:
            self.start_services({**NO_RATES, **REPEATS, **self.relay.settings(), **(settings or {})})
            self.world = World(self.services[0])
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        self.log = CallLog(self.services[0].folder / "calls.jsonl")
        self.faults = 0         # each may cost one second copy of a mail
        self.quarantined = 0
        self.ready_seconds = []

    def start_services(self, settings):
        """Into `services`."""
        raise NotImplementedError

    def database(self):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.log.close()
        try:
            for service in self.services:
                service.__exit__(kind, *rest)
        finally:
            self.relay.stop()

    def callers(self, **options):
        return LoadCaller(self.world, self.services, self.log, **options)

    # --- faults ---------------------------------------------------------------------------------------------

    def start(self, service, environment=None):
        """Measures how long it takes to be ready."""
        began = time.monotonic()
        service.start(environment)
        self.ready_seconds.append(time.monotonic() - began)

    def ready_after(self):
        """In seconds, of nine in ten starts: a machine that is busy with other things has a slow one at times."""
        return sorted(self.ready_seconds)[9 * (len(self.ready_seconds) - 1) // 10]

    def kill(self, service):
        """kill -9."""
        service.kill()
        self.faults += 1

    def kill_and_start(self):
        """One instance, at random; a fifth of the times once more while it starts."""
        service = random.choice(self.services)
        self.kill(service)
        if random.random() < 0.2:
            service.launch()
            time.sleep(random.uniform(0, 0.1))  # the random moment is what is tested
            self.kill(service)
        self.start(service)

    def await_death(self, service, timeout=60):
        """Until a failpoint has killed it."""
        status = service.process.wait(timeout)
        assert status == -signal.SIGKILL, f"exit status {status}, not killed:\n{service.process.log_text()[-2000:]}"
        self.faults += 1

    # --- the end --------------------------------------------------------------------------------------------

    @staticmethod
    def nothing_is_queued(service):
        """Just after a failover a reader may still hold a connection to the server that is gone, and says so."""
        try:
            return not service.cli("mail", "list", "--state", "queued", "--limit", "1")
        except CommandFailed as failure:
            if "try again in a moment" not in failure.stderr:
                raise
            return False

    def await_idle(self):
        """However long the queue is and however slow the machine: as long as one mail after the other leaves."""
        service = self.services[0]
        sent = len(self.relay.mails())
        since = time.monotonic()
        while True:
            if self.nothing_is_queued(service):
                # Seen three deaths: held back for an operator's eyes, not lost.
                held_back = service.cli("mail", "list", "--state", "quarantined")
                if not held_back:
                    return
                self.quarantined += len(held_back)
                service.cli("mail", "retry", "--all")
            now, before = len(self.relay.mails()), sent
            if now != before:
                sent, since = now, time.monotonic()
            assert time.monotonic() - since < 60, "no mail has left for 60 s, and there is a queue"
            time.sleep(0.1)  # no event tells

    def judge(self, links_followed=LINKS):
        """With the callers stopped: waits for the queue, follows some links, stops the services, compares everything."""
        self.await_idle()
        mails = self.relay.mails()
        one_of_each = list({checker.message_id(mail): mail for mail in mails}.values())
        sample = random.sample(one_of_each, min(links_followed, len(one_of_each)))
        accepted, findings = links.follow(random.choice(self.services), sample)
        for service in self.services:
            service.stop()
        logs = {str(service.log_file): service.log_file.read_bytes() for service in self.services}
        secrets = {**PERSON_SECRETS, **checker.key_file_secrets(self.services[0].state_dir / "keys.json")}
        self.stored = Stored.read(self.database())
        report = checker.check(self.world, self.log.calls(), self.stored, self.relay.mails(), accepted,
                               self.faults, logs, secrets)
        report.findings += findings
        return report

    def summary(self, report):
        ready = (f"; ready after {max(self.ready_seconds):.2f} s at most, "
                 f"{sum(self.ready_seconds) / len(self.ready_seconds):.2f} s on average" if self.ready_seconds else "")
        return (f"{self.faults} faults: {self.log.summary()}; of unknown ones {report.unknown_stored} were stored, "
                f"{report.unknown_not_stored} not; {len(self.relay.mails())} mails, {report.copies} of them second copies, "
                f"{self.quarantined} quarantined meanwhile{ready}")

    def assert_whole(self, test, links_followed=LINKS):
        """Prints the summary and fails `test` where something does not hold."""
        report = self.judge(links_followed)
        print(f"\n  {self.summary(report)}", flush=True)
        test.assertFalse(report.findings, report.text())
        test.assertGreater(self.log.count(DONE), 0)
        return report


class OnSqlite(Deployment):
    """One instance."""

    # So short that faults meet it being written back.
    SETTINGS = {"storage.log_size": "1MiB"}

    def start_services(self, settings):
        self.services.append(Service.serve({**self.SETTINGS, **settings}))

    def database(self):
        [file] = self.services[0].state_dir.glob("*.db")
        return SqliteDatabase(file)


class OnPostgres(Deployment):
    """Two instances on one database of a PostgreSQL of our own."""

    # What a killed instance had claimed is another's after the lease; no relay or app here takes longer. And whichever
    # instance sends a mail, its link is the same.
    SETTINGS = {"mail.lease": "5s", "refresh.timeout": "2s", "public_url": "https://invitations.example.org"}
    cluster = None

    def make_cluster(self):
        return postgres.Cluster()

    def start_services(self, settings):
        self.cluster = self.make_cluster()
        self.services.append(Service.serve({**settings, **self.SETTINGS, "database": self.cluster.url}))
        self.services.append(self.services[0].beside())
        self.services[1].start()

    def database(self):
        return PostgresDatabase(self.cluster.url)

    def __exit__(self, *rest):
        try:
            super().__exit__(*rest)
        finally:
            if self.cluster:
                self.cluster.__exit__(*rest)
