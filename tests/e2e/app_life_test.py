"""An app's life with the real program, all over the wire: somebody is invited, accepts, signs on at the app, gets another
role, is invited once more, loses everything. The app is node-soap: it is told of each change and asks for the roles."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0] / "support")]

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service, wait_until
from node_app import NodeApp, names, need_node

EMAIL = "nora.newcomer@example.org"
NAME = "Nora & <Newcomer> é漢"
PASSWORD = "seventeen quiet otters dance"


class AnAppsLife(unittest.TestCase):
    def access(self, verb, role):
        self.service.cli("access", verb, "--environment", self.service.environment_uuid, "--email", EMAIL, "--role", role)

    def test_invite_accept_sign_on_change_invite_again_withdraw(self):
        with Service.serve(NO_RATES) as service, NodeApp(service) as app:
            self.service, self.app = service, app
            service.cli("environment", "set", service.environment_uuid, "--refresh-url", app.url)

            # The app invites somebody whom nobody knows yet; nobody is told anything.
            self.assertFalse(service.send_invite(EMAIL).fault)
            mail = captured_mail.await_mail(service.mail_dir, EMAIL)
            self.assertEqual(service.cli("refresh", "list"), [])
            stranger = f"{service.base_url}/id?id=01935b3e-0000-7000-8000-000000000000"
            self.assertIsNone(app.ask("GetRolesForOpenID", stranger)["result"])
            refused = app.ask("GetUserProfile", stranger)
            self.assertIn("unknown_person", refused["code"])

            # The person accepts; the app is told who, and asks what they may do.
            person = service.person()
            page = person.open(mail.link)
            done = person.submit(page, "/accept", {"name": NAME, "password": PASSWORD, "password_again": PASSWORD})
            self.assertEqual(done.status, 200, done.text)
            told = app.await_told(1)
            openid = told["told"]
            [account] = [a for a in service.cli("account", "list") if a["email"] == EMAIL]
            self.assertEqual(openid, f"{service.base_url}/id?id={account['account_uuid']}")
            self.assertEqual(told["roles"], [{"UUID": service.role_uuid, "DisplayName": service.role_name}])
            self.assertIsNone(app.schema_problem(told))

            # First sign-on at the app: who is it?
            profile = app.ask("GetUserProfile", openid)["result"]["UserProfile"]
            self.assertEqual((profile["OpenId"], profile["DisplayName"], profile["EmailAddress"]), (openid, NAME, EMAIL))
            self.assertEqual(app.ask("GetDisplayName", openid)["result"]["Result"], NAME)

            # The person signs in at the service and writes down what the app may know of them.
            person = service.person()
            page = person.open(f"{service.base_url}/sign-in")
            page = person.submit(page, "/sign-in", {"email": EMAIL, "password": PASSWORD})
            page = person.submit(page, "/profile", {"job_title": "Harbour pilot & <more>", "phone": "+31 20 123"})
            self.assertEqual(page.status, 200, page.text)
            profile = app.ask("GetUserProfile", openid)["result"]["UserProfile"]
            self.assertEqual((profile["DisplayName"], profile["JobTitle"], profile["Phone"]),
                             (NAME, "Harbour pilot & <more>", "+31 20 123"))
            self.assertEqual(person.open(openid).status, 200)

            # Another role is added, the first one goes.
            self.access("grant", service.other_role_uuid)
            self.assertEqual(names(app.await_told(2)), sorted([service.role_name, service.other_role_name]))
            self.access("revoke", service.role_uuid)
            self.assertEqual(names(app.await_told(3)), [service.other_role_name])

            # Invited once more, for the role that went; with an account this time.
            self.assertFalse(service.send_invite(EMAIL).fault)
            mail = captured_mail.await_mail(service.mail_dir, EMAIL, 2)
            person = service.person()
            done = person.submit(person.open(mail.link), "/accept", {"password": PASSWORD})
            self.assertEqual(done.status, 200, done.text)
            told = app.await_told(4)
            self.assertEqual(told["told"], openid)
            self.assertEqual(names(told), sorted([service.role_name, service.other_role_name]))

            # Everything is withdrawn: an empty list, and no profile any more.
            self.access("revoke", service.role_uuid)
            self.assertEqual(names(app.await_told(5)), [service.other_role_name])
            self.access("revoke", service.other_role_uuid)
            told = app.await_told(6)
            self.assertEqual((told["told"], told["roles"], told.get("fault")), (openid, [], None))
            self.assertIsNone(app.ask("GetRolesForOpenID", openid)["result"])
            gone = app.ask("GetUserProfile", openid)
            self.assertEqual((gone["fault"], gone["code"]), (refused["fault"], refused["code"]))
            self.assertIn("unknown_person", app.ask("GetDisplayName", openid)["code"])

            calls = wait_until(lambda: (all_calls := service.cli("refresh", "list")) and
                               all(call["state"] == "done" for call in all_calls) and all_calls, what="all calls done")
            self.assertEqual(len(calls), 6)


if __name__ == "__main__":
    need_node()
    end_to_end.main()
