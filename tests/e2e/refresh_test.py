"""The call back to apps with the real program: node-soap's server is the app, which asks GetRolesForOpenID back before it
answers. Operators grant and withdraw; in both namespaces that apps are known to have."""

import pathlib
import signal
import socket
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0] / "support")]

import end_to_end
from invited_service import NO_RATES, Service, wait_until
from node_app import NAMESPACE, OLD_NAMESPACE, NodeApp, names, need_node

EMAIL = "ada@example.org"


def access(service, verb, role):
    service.cli("access", verb, "--environment", service.environment_uuid, "--email", EMAIL, "--role", role)


def listed(service, state):
    return [call for call in service.cli("refresh", "list") if call["state"] == state]


def await_state(service, state, count):
    return wait_until(lambda: (calls := listed(service, state)) and len(calls) >= count and calls,
                      what=f"{count} calls that are {state}")


class AnAppIsToldWhenRolesChange(unittest.TestCase):
    def with_app(self, service, namespace=NAMESPACE):
        app = NodeApp(service, namespace)
        service.cli("environment", "set", service.environment_uuid, "--refresh-url", app.url,
                    "--refresh-namespace", namespace)
        service.account_uuid = service.cli("account", "add", "--email", EMAIL, "--name", "Ada Lovelace")["account_uuid"]
        return app

    def test_in_both_namespaces_and_it_asks_back_before_it_answers(self):
        for namespace in (NAMESPACE, OLD_NAMESPACE):
            with self.subTest(namespace), Service.serve(NO_RATES) as service, \
                    self.with_app(service, namespace) as app:
                openid = f"{service.base_url.rstrip('/')}/id?id={service.account_uuid}"
                access(service, "grant", service.role_uuid)
                told = app.await_told(1)
                self.assertEqual(told["told"], openid)
                self.assertEqual(told["roles"], [{"UUID": service.role_uuid, "DisplayName": service.role_name}])
                self.assertIn(f'"{namespace}"', told["raw"])
                self.assertIsNone(app.schema_problem(told))
                access(service, "grant", service.other_role_uuid)
                self.assertEqual(names(app.await_told(2)), sorted([service.role_name, service.other_role_name]))
                access(service, "revoke", service.role_uuid)
                self.assertEqual(names(app.await_told(3)), [service.other_role_name])
                access(service, "revoke", service.other_role_uuid)
                self.assertEqual(app.await_told(4)["roles"], [])
                for call in await_state(service, "done", 4):
                    self.assertEqual(call["attempt_count"], 1)
                service.process.await_log(r"refresh\.done")
                self.assertNotIn(openid, service.process.log_text())

    def test_what_changes_nothing_is_told_to_nobody(self):
        with Service.serve(NO_RATES) as service, self.with_app(service) as app:
            access(service, "revoke", service.role_uuid)
            access(service, "grant", service.role_uuid)
            app.await_told(1)
            access(service, "grant", service.role_uuid)
            access(service, "revoke", service.other_role_uuid)
            access(service, "revoke", service.role_uuid)
            self.assertEqual(app.await_told(2)["roles"], [])
            self.assertEqual(len(service.cli("refresh", "list")), 2)

    def test_an_app_that_may_not_ask_keeps_its_roles_and_its_fault_is_shown(self):
        with Service.serve(NO_RATES) as service, self.with_app(service) as app:
            access(service, "grant", service.role_uuid)
            app.await_told(1)
            app.order({"password": "wrong"})
            access(service, "revoke", service.role_uuid)
            told = app.await_told(2)
            self.assertEqual(names(told), [service.role_name])
            self.assertTrue(told["fault"])
            service.process.await_log(r"refresh\.deferred")
            [call] = listed(service, "queued")
            shown = service.cli("refresh", "show", call["refresh_uuid"])
            self.assertIn("The app could not ask for the roles", str(shown))

    def test_calls_that_were_owed_while_the_service_was_down_are_made_when_it_starts(self):
        with Service.serve(NO_RATES) as service, self.with_app(service) as app:
            service.stop()
            access(service, "grant", service.role_uuid)
            self.assertEqual(app.told, [])
            service.start()
            self.assertEqual(names(app.await_told(1)), [service.role_name])
            await_state(service, "done", 1)

    def test_a_call_is_made_again_where_the_process_died_before_it_was_recorded(self):
        with Service.serve(NO_RATES) as service, self.with_app(service) as app:
            service.stop()
            access(service, "grant", service.role_uuid)
            service.launch({"INVITED_FAILPOINT": "call_made"})
            self.assertEqual(service.process.wait(), -signal.SIGKILL)
            self.assertEqual(names(app.await_told(1)), [service.role_name])
            service.start()
            self.assertEqual(names(app.await_told(2)), [service.role_name])
            await_state(service, "done", 1)

    def test_the_service_stops_in_time_while_an_app_hangs(self):
        with Service.serve({**NO_RATES, "shutdown_timeout": "10s"}) as service, socket.socket() as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen()
            service.cli("account", "add", "--email", EMAIL, "--name", "Ada Lovelace")
            service.cli("environment", "set", service.environment_uuid, "--refresh-url",
                        f"http://127.0.0.1:{hole.getsockname()[1]}/ws/RefreshAPI")
            access(service, "grant", service.role_uuid)
            hole.settimeout(20)
            connection, _ = hole.accept()
            with connection:
                self.assertTrue(connection.recv(1))
                service.stop()
            [call] = service.cli("refresh", "list")
            self.assertEqual(call["state"], "queued")


if __name__ == "__main__":
    need_node()
    end_to_end.main()
