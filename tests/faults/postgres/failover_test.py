"""The primary dies under load and a standby takes over: D20, D21 and D25."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from deployment_on_postgres import UNAVAILABLE, PostgresDeployment, ready_status, timed

import checker
import end_to_end
import postgres
from invited_service import wait_until

NO_NETWORK = postgres.Namespace.why_not()
FAILOVERS = end_to_end.rounds(1, 50)


class Failover(unittest.TestCase):
    def test_d20_with_a_synchronous_standby_nothing_acknowledged_is_lost(self):
        seconds = []
        for _ in range(FAILOVERS):
            with postgres.Cluster() as cluster:
                standby = cluster.standby(synchronous=True)
                with PostgresDeployment([cluster.primary, standby], instances=2) as deployment:
                    self.assertNotIn("storage.asynchronous_standbys", deployment.services[0].process.log_text())
                    with deployment.callers(rate=400):
                        deployment.log.await_more(200)
                        cluster.primary.kill()
                        killed = time.time()
                        deployment.database_fault()
                        standby.promote()
                        deployment.server = standby
                        seconds.append(deployment.await_done(killed))
                        deployment.log.await_more(200)
                    deployment.assert_whole(self, links_followed=2)
        print(f"\n  {FAILOVERS} failovers; written to again after {max(seconds):.2f} s at most", flush=True)
        self.assertLess(max(seconds), 10)

    @unittest.skipIf(NO_NETWORK, f"NOT TESTED: {NO_NETWORK}")
    def test_d20_with_the_machine_of_the_primary_gone_it_is_written_to_again_within_ten_seconds(self):
        """Nothing is refused, nothing answers: that a host is dead shows by time only, and it is named first."""
        with postgres.Namespace() as network, postgres.Cluster(namespace=network) as cluster:
            standby = cluster.standby(synchronous=True)
            with PostgresDeployment([cluster.primary, standby], instances=2) as deployment:
                with deployment.callers(rate=200):
                    deployment.log.await_more(100)
                    network.black_hole()
                    vanished = time.time()
                    deployment.database_fault()
                    standby.promote()
                    deployment.server = standby
                    seconds = deployment.await_done(vanished)
                    deployment.log.await_more(100)
                print(f"\n  written to again after {seconds:.1f} s", flush=True)
                self.assertLess(seconds, 10)
                deployment.assert_whole(self, links_followed=2)

    def test_d21_with_an_asynchronous_standby_that_lags_it_is_warned_of_and_calls_are_lost(self):
        """The control: this is how the test above looks when something is lost."""
        with postgres.Cluster() as cluster:
            standby = cluster.standby(synchronous=False)
            with PostgresDeployment([cluster.primary, standby]) as deployment:
                deployment.services[0].process.await_log(r"warn.*storage\.asynchronous_standbys.*can be lost")
                with deployment.callers(rate=400):
                    deployment.log.await_more(100)
                    standby.pause_walreceiver()
                    deployment.log.await_more(200)
                    cluster.primary.kill()
                    deployment.database_fault()
                    killed = time.time()
                    standby.promote()
                    deployment.server = standby
                    deployment.await_done(killed)
                report = deployment.judge(links_followed=0)
                lost = sum(finding.kind == checker.LOST for finding in report.findings)
                print(f"\n  {lost} acknowledged invitations are lost, as they must be here", flush=True)
                self.assertGreater(lost, 50)

    def test_d25_whoever_meets_a_standby_does_not_write_to_it_and_waits_quietly(self):
        """The address stays, the server behind it has become a standby; later it is promoted."""
        with postgres.Cluster() as cluster, PostgresDeployment([cluster.primary]) as deployment:
            server, service = cluster.primary, deployment.services[0]
            self.assertFalse(service.send_invite("before@example.org").fault)
            server.stop()
            server.become_standby()
            server.start()
            lines = service.process.log_length()
            until = time.monotonic() + 2
            answers = []
            while time.monotonic() < until:
                answers.append(timed(lambda: service.send_invite("meanwhile@example.org")))
            self.assertEqual({(answer.code, answer.retry_after) for answer, _ in answers}, {UNAVAILABLE})
            self.assertLess(max(took for _, took in answers), 5)
            self.assertEqual(ready_status(service), 503)
            self.assertNotIn("ERROR", server.log(since_start=True), "it was written to")
            storage = [line for line in service.process.log_text().split("\n")[lines:] if "storage." in line]
            print(f"\n  {len(answers)} calls refused, {len(storage)} lines of the storage in the log", flush=True)
            self.assertLess(len(storage), 25)
            promoted = time.monotonic()
            server.promote()
            wait_until(lambda: not service.send_invite("after@example.org").fault, 10)
            self.assertLess(time.monotonic() - promoted, 5)
            wait_until(lambda: ready_status(service) == 200, 5)

    def test_d25_of_two_hosts_the_one_that_can_be_written_to_is_found(self):
        """A switch-over and back, the old primary following as a standby each time."""
        with postgres.Cluster() as cluster:
            one, other = cluster.primary, cluster.standby(synchronous=False)
            with PostgresDeployment([one, other]) as deployment:
                service = deployment.services[0]
                for number in range(2):
                    one.stop()
                    deployment.database_fault()
                    other.promote()
                    one.become_standby(other)
                    one.start()
                    switched = time.monotonic()
                    wait_until(lambda: not service.send_invite(f"{number}@example.org").fault, 10)
                    self.assertLess(time.monotonic() - switched, 5)
                    self.assertEqual(
                        other.value(f"SELECT count(*) FROM invitation WHERE invitee_key = '{number}@example.org'"), "1")
                    other.await_standby(one.name, "async")
                    one, other = other, one


if __name__ == "__main__":
    postgres.need()
    end_to_end.main()
