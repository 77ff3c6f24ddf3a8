"""One PostgreSQL that restarts, vanishes, is set up carelessly, or gets in the way: D22, D24, D26 and D27."""

import concurrent.futures
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from cutting_proxy import AFTER_COMMIT, BEFORE_COMMIT, CuttingProxy
from deployment_on_postgres import UNAVAILABLE, PostgresDeployment, ready_status, timed

import end_to_end
import postgres
from call_log import REFUSED, UNKNOWN
from invited_service import Service, wait_until

RESTARTS = end_to_end.rounds(1, 25)
STATEMENT_DEADLINE = 5
# Failed attempts are counted outside of any transaction.
FAILING_INSERTS = """
CREATE SEQUENCE attempts;
GRANT USAGE ON SEQUENCE attempts TO invited;
CREATE FUNCTION fail_some() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('attempts') <= TG_ARGV[0]::int THEN
    RAISE EXCEPTION 'injected' USING ERRCODE = TG_ARGV[1];
  END IF;
  RETURN NULL;
END $$;
"""
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"


def await_idle(server):
    """Until every mail has left."""
    wait_until(lambda: server.value("SELECT count(*) FROM outbox_message WHERE state = 'queued'") == "0")


class RestartedUnderLoad(unittest.TestCase):
    """D22."""

    def test_it_is_unavailable_meanwhile_and_back_within_five_seconds(self):
        with postgres.Cluster() as cluster, PostgresDeployment([cluster.primary]) as deployment:
            server, service = cluster.primary, deployment.services[0]
            seconds = []
            with deployment.callers(rate=300):
                for _ in range(RESTARTS):
                    for mode in ("fast", "immediate"):
                        deployment.log.await_more(100)
                        server.restart(mode)
                        deployment.database_fault()
                        back = time.time()
                        seconds.append(deployment.await_done(back))
                deployment.log.await_more(100)
                with self.subTest("stopped for a while"):
                    server.stop("immediate")
                    deployment.database_fault()
                    wait_until(lambda: ready_status(service) == 503, 5)
                    answer, took = timed(lambda: service.send_invite("meanwhile@example.org"))
                    self.assertEqual((answer.code, answer.retry_after), UNAVAILABLE)
                    self.assertLess(took, STATEMENT_DEADLINE)
                    self.assertEqual(service.request("GET", "/healthz").status, 200)
                    server.start()
                    seconds.append(deployment.await_done(time.time()))
                    wait_until(lambda: ready_status(service) == 200, 5)
            self.assertTrue(service.process.is_running())
            codes = {(call.outcome, call.code) for call in deployment.log.calls() if not call.wrong and call.code}
            self.assertLessEqual({code for outcome, code in codes if outcome == REFUSED}, {"unavailable"})
            self.assertLessEqual({code for outcome, code in codes if outcome == UNKNOWN}, {"outcome_unknown"},
                                 "the service hung up on its caller")
            self.assertLess(deployment.longest_call(), 2 * STATEMENT_DEADLINE)
            deployment.assert_whole(self, links_followed=2)
            print(f"\n  {len(seconds)} restarts; back after {max(seconds):.2f} s at most", flush=True)
            self.assertLess(max(seconds), 5)


class CutOff(unittest.TestCase):
    """D24: packets vanish."""

    def test_every_call_is_answered_in_bounded_time_and_nothing_fills_up(self):
        reason = postgres.Namespace.why_not()
        if reason:
            print(f"\n{'=' * 100}\nNOT TESTED: {reason}\n{'=' * 100}", file=sys.stderr, flush=True)
            self.skipTest(reason)
        with postgres.Namespace() as network, postgres.Cluster(namespace=network) as cluster, \
                PostgresDeployment([cluster.primary]) as deployment:
            service = deployment.services[0]
            with deployment.callers(rate=200):
                deployment.log.await_more(100)
                link = wait_until(deployment.relay.mails)[0].link
                network.black_hole()
                deployment.database_fault()
                since = time.time()
                with concurrent.futures.ThreadPoolExecutor(100) as many:
                    # More than there are connections to the database, and more than there are workers.
                    calls = [many.submit(timed, lambda n=n: service.send_invite(f"cut-{n}@example.org"))
                             for n in range(50)]
                    reads = [many.submit(timed, lambda: service.person().open(link)) for _ in range(50)]
                    status, took = timed(lambda: service.request("GET", "/healthz").status)
                    self.assertEqual(status, 200)
                    self.assertLess(took, 1)
                    answers = [call.result() for call in calls] + [read.result() for read in reads]
                print(f"\n  cut off: answered after {max(took for _, took in answers):.1f} s at most", flush=True)
                self.assertEqual({answer.status for answer, _ in answers} - {503, 500}, set())
                self.assertLess(max(took for _, took in answers), 2 * STATEMENT_DEADLINE)
                wait_until(lambda: ready_status(service) == 503, STATEMENT_DEADLINE)
                # Once it is known, nobody waits for it.
                while time.time() - since < 6:
                    answer, took = timed(lambda: service.send_invite("later@example.org"))
                    self.assertEqual((answer.code, answer.retry_after), UNAVAILABLE)
                network.heal()
                self.assertLess(deployment.await_done(time.time()), 5)
                wait_until(lambda: ready_status(service) == 200, 5)
            self.assertLess(deployment.longest_call(), 2 * STATEMENT_DEADLINE)
            # The server has noticed, too: no transaction of ours is left open over there.
            wait_until(lambda: cluster.primary.value(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'invited' AND state LIKE 'idle in%' AND "
                "state_change < now() - interval '9 s'") == "0", 20)
            deployment.assert_whole(self, links_followed=2)


class InstanceVanished(unittest.TestCase):
    """Amid a transaction, with its machine: the server does not notice, and keeps the locks for it."""

    def test_the_other_instance_goes_on_after_a_bounded_time(self):
        with postgres.Cluster() as cluster, CuttingProxy(cluster.primary) as proxy, \
                Service.serve({"database": postgres.url(postgres.DATABASE, proxy)}) as service, \
                service.beside({"database": cluster.url}) as other, concurrent.futures.ThreadPoolExecutor(1) as caller:
            other.start()
            for number in range(20):
                self.assertFalse(service.send_invite(f"before-{number}@example.org").fault)
                await_idle(cluster.primary)
                proxy.cut_once(BEFORE_COMMIT, silently=True)
                vanished = caller.submit(service.send_invite, f"vanished-{number}@example.org")
                proxy.await_cut()
                since = time.monotonic()
                # The same inviter: both count in one row.
                answer, took = timed(lambda n=number: other.send_invite(f"other-{n}@example.org"))
                self.assertLess(took, 2 * STATEMENT_DEADLINE)
                wait_until(lambda n=number: not other.send_invite(f"after-{n}@example.org").fault, 15)
                held_up = time.monotonic() - since
                if vanished.result().fault:
                    break  # otherwise it was the mail worker's transaction
            print(f"\n  held up for {held_up:.1f} s, then refused: {answer.fault}", flush=True)
            self.assertEqual(vanished.result().code, "outcome_unknown")
            self.assertLess(held_up, 12)
            self.assertFalse(service.send_invite(f"vanished-{number}@example.org").fault)
            count = f"SELECT count(*) FROM invitation WHERE invitee_key = 'vanished-{number}@example.org'"
            self.assertEqual(cluster.primary.value(count), "1")


@unittest.skipUnless(end_to_end.IS_LONG_FORM or postgres.Namespace.why_not(), "CutOff is the harder test")
class Frozen(unittest.TestCase):
    """D24 without root: the server's machine answers, the server does not."""

    def test_every_call_is_answered_in_bounded_time(self):
        with postgres.Cluster() as cluster, Service.serve({"database": cluster.url}) as service:
            self.assertFalse(service.send_invite("before@example.org").fault)
            cluster.primary.freeze()
            try:
                with concurrent.futures.ThreadPoolExecutor(20) as many:
                    calls = [many.submit(timed, lambda n=n: service.send_invite(f"frozen-{n}@example.org"))
                             for n in range(20)]
                answers = [call.result() for call in calls]
                self.assertEqual({answer.status for answer, _ in answers} - {503, 500}, set())
                self.assertLess(max(took for _, took in answers), 2 * STATEMENT_DEADLINE)
                wait_until(lambda: ready_status(service) == 503, STATEMENT_DEADLINE)
            finally:
                cluster.primary.thaw()
            wait_until(lambda: ready_status(service) == 200, STATEMENT_DEADLINE)
            self.assertFalse(service.send_invite("after@example.org").fault)


class AnswerLost(unittest.TestCase):
    """The connection ends while COMMIT is under way: nobody can tell what became of it, and nobody claims to."""

    def test_it_is_said_to_be_unknown_and_the_same_call_again_makes_it_one_invitation(self):
        with postgres.Cluster() as cluster, CuttingProxy(cluster.primary) as proxy, \
                Service.serve({"database": postgres.url(postgres.DATABASE, proxy)}) as service:
            for place, stored in ((BEFORE_COMMIT, "0"), (AFTER_COMMIT, "1")):
                with self.subTest(place):
                    # The mail worker commits too: until it was the call's own commit.
                    for number in range(20):
                        invitee = f"lost-{stored}-{number}@example.org"
                        await_idle(cluster.primary)
                        proxy.cut_once(place)
                        answer = service.send_invite(invitee)
                        if answer.fault:
                            break
                        proxy.await_cut()
                    self.assertEqual(answer.code, "outcome_unknown")
                    self.assertIn("call again, a repetition does no harm", answer.message)
                    count = f"SELECT count(*) FROM invitation WHERE invitee_key = '{invitee}'"
                    self.assertEqual(cluster.primary.value(count), stored)
                    self.assertFalse(service.send_invite(invitee).fault)
                    self.assertEqual(cluster.primary.value(count), "1")
                    wait_until(lambda: ready_status(service) == 200, STATEMENT_DEADLINE)


class CarelesslySetUp(unittest.TestCase):
    """D26. Each start here is somebody's first, on an empty database."""

    def start(self, url, **settings):
        service = Service("serve")
        service.settings |= {"database": url, "state_dir": str(service.state_dir), "http.listen": "127.0.0.1:0",
                             "mail.transport": "directory", "mail.directory": str(service.folder / "mail"),
                             "mail.from": "invitations@invited.example", **settings}
        service.write_config()
        service.launch()
        return service

    def assert_refused(self, server, expected, **settings):
        """`expected`: regular expressions."""
        with self.start(server.create_fresh_database(), **settings) as service:
            self.assertGreater(service.process.wait(), 0)
            for one in expected:
                self.assertRegex(service.process.log_text() + service.process.output_text(), one)

    def test_what_would_lose_acknowledged_work_is_refused_by_name_unless_it_is_allowed_by_name(self):
        with postgres.Cluster() as cluster:
            server = cluster.primary
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                with self.subTest(setting):
                    server.set(**{setting: "off"})
                    server.reload()
                    wait_until(lambda: server.value(f"SHOW {setting}") == "off")
                    refused = [f"{setting} = off", r"storage\.allow_unsafe"]
                    self.assert_refused(server, refused)
                    other = "fsync" if setting != "fsync" else "full_page_writes"
                    self.assert_refused(server, refused, **{"storage.allow_unsafe": other})
                    with self.start(server.create_fresh_database(), **{"storage.allow_unsafe": setting}) as service:
                        service.process.await_log(r"\bservice\.started\b")
                        service.process.await_log(rf"\bwarning storage\.unsafe_server setting={setting}\b")
                    server.set(**{setting: "on"})
                    server.reload()
                    wait_until(lambda: server.value(f"SHOW {setting}") == "on")
            server.query("ALTER ROLE invited SET synchronous_commit = local")
            self.assert_refused(server, ["synchronous_commit = local"])
            server.query("ALTER ROLE invited RESET synchronous_commit")
            with self.start(server.create_fresh_database()) as service:
                service.process.await_log(r"\bservice\.started\b")
                self.assertNotIn("storage.unsafe_server", service.process.log_text())

    def test_a_standby_and_no_server_are_refused_by_name(self):
        with postgres.Cluster() as cluster:
            cluster.primary.stop()
            with self.start(cluster.url) as service:
                self.assertGreater(service.process.wait(), 0)
                self.assertRegex(service.process.log_text(), r"`database`.*refused")
            cluster.primary.become_standby()
            cluster.primary.start()
            with self.start(cluster.url) as service:
                self.assertGreater(service.process.wait(), 0)
                self.assertRegex(service.process.log_text(), r"`database`.*(read-only|recovery|standby)")


class InTheWay(unittest.TestCase):
    """D27: others' transactions."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = postgres.Cluster()
        cls.server = cls.cluster.primary
        cls.service = Service.serve({"database": cls.cluster.url})
        cls.server.query(FAILING_INSERTS, postgres.DATABASE)

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__(None)
        cls.cluster.close()

    def stored(self, invitee):
        return int(self.server.value(f"SELECT count(*) FROM invitation WHERE invitee_key = '{invitee}'"))

    def send_with_failures(self, failures, code, invitee, deferred=False):
        """The answer, and how often it was tried."""
        kind = "CONSTRAINT TRIGGER" if deferred else "TRIGGER"
        when = "DEFERRABLE INITIALLY DEFERRED" if deferred else ""
        self.server.query(f"ALTER SEQUENCE attempts RESTART; CREATE {kind} failing AFTER INSERT ON invitation {when} "
                          f"FOR EACH ROW EXECUTE FUNCTION fail_some({failures}, '{code}')", postgres.DATABASE)
        try:
            answer, took = timed(lambda: self.service.send_invite(invitee))
            self.assertLess(took, STATEMENT_DEADLINE)
        finally:
            self.server.query("DROP TRIGGER failing ON invitation", postgres.DATABASE)
        return answer, int(self.server.value("SELECT last_value FROM attempts"))

    def test_a_serialization_failure_or_deadlock_is_tried_again_three_times_and_stored_once(self):
        for code in (SERIALIZATION_FAILURE, DEADLOCK):
            for deferred in (False, True):
                for failures in (1, 3):
                    with self.subTest(code=code, at_commit=deferred, failures=failures):
                        invitee = f"{code}-{deferred}-{failures}@example.org".lower()
                        answer, tries = self.send_with_failures(failures, code, invitee, deferred)
                        self.assertFalse(answer.fault, answer)
                        self.assertEqual((tries, self.stored(invitee)), (failures + 1, 1))

    def test_after_three_retries_it_is_refused_and_nothing_is_stored(self):
        for code in (SERIALIZATION_FAILURE, DEADLOCK):
            for deferred in (False, True):
                with self.subTest(code=code, at_commit=deferred):
                    invitee = f"{code}-{deferred}-always@example.org".lower()
                    answer, tries = self.send_with_failures(1000, code, invitee, deferred)
                    self.assertEqual((answer.code, answer.retry_after), UNAVAILABLE)
                    self.assertEqual((tries, self.stored(invitee)), (4, 0))
                    self.assertFalse(self.service.send_invite(invitee).fault)
                    self.assertEqual(self.stored(invitee), 1)

    def test_a_real_deadlock_harms_nobody(self):
        """Our transaction is the one that the server ends."""
        for number in range(10):
            invitee = f"deadlock-{number}@example.org"
            await_idle(self.server)
            with self.server.session() as other, concurrent.futures.ThreadPoolExecutor(1) as caller:
                other.run("SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE outbox_message IN SHARE ROW EXCLUSIVE MODE")
                call = caller.submit(lambda: timed(lambda: self.service.send_invite(invitee)))
                wait_until(lambda: self.server.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0")
                other.run("LOCK TABLE audit_event, invitation IN SHARE ROW EXCLUSIVE MODE")
                other.run("COMMIT")
                answer, took = call.result()
            self.assertLess(took, 2 * STATEMENT_DEADLINE)
            self.assertEqual(self.stored(invitee), 0 if answer.fault else 1)
            self.assertFalse(self.service.send_invite(invitee).fault)
            self.assertEqual(self.stored(invitee), 1)
            if "deadlock detected" in self.server.log():
                return  # otherwise it was the mail worker's transaction, which holds nothing else
        self.fail("no deadlock came about")

    def test_whoever_locks_our_rows_for_ever_delays_a_call_for_a_bounded_time(self):
        with self.server.session() as other:
            other.run("BEGIN; LOCK TABLE invitation IN EXCLUSIVE MODE")
            answer, took = timed(lambda: self.service.send_invite("locked@example.org"))
            self.assertEqual((answer.code, answer.retry_after), UNAVAILABLE)
            print(f"\n  locked out: refused after {took:.1f} s", flush=True)
            self.assertLess(took, 2 * STATEMENT_DEADLINE)
            other.run("ROLLBACK")
        self.assertEqual(self.stored("locked@example.org"), 0)
        self.assertFalse(self.service.send_invite("locked@example.org").fault)

    def test_a_session_that_an_operator_ends_costs_one_answer_at_most(self):
        for number in range(5):
            self.server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'invited'")
            self.assertFalse(self.service.send_invite(f"ended-{number}@example.org").fault)
            self.assertEqual(self.stored(f"ended-{number}@example.org"), 1)


if __name__ == "__main__":
    postgres.need()
    end_to_end.main()
