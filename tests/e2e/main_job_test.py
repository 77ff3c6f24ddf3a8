"""The main job with the real program: one SOAP call, one mail, one link, sign-up, access. Plain HTTP, no JavaScript."""

import datetime
import email.utils
import json
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import soap_client
import web_client
from invited_service import NO_RATES, Process, Service, wait_until

PASSWORD = "seventeen quiet otters dance"


class TheDemoShowsWhatTheServiceDoes(unittest.TestCase):
    def test_one_call_one_mail_one_link_sign_up_and_access_is_there(self):
        with Service.demo() as service:
            answer = service.send_invite("new.person@example.org")
            self.assertFalse(answer.fault, answer)
            self.assertEqual(answer.status, 200)
            self.assertEqual([(element.tag, len(element), element.text) for element in answer.result],
                             [("{http://www.example.com/}SendInviteResponse", 0, None)])

            mail = captured_mail.await_mail(service.mail_dir, "new.person@example.org")
            self.assertTrue(mail.link.startswith(service.base_url.rstrip("/") + "/i/"), mail.link)
            person = service.person()
            page = person.open(mail.link)
            self.assertEqual(page.status, 200)
            self.assertIn(service.role_name, page.text)
            done = person.submit(page, "/accept", {"name": "Nora Newcomer", "password": PASSWORD,
                                                   "password_again": PASSWORD})
            self.assertEqual(done.status, 200, done.text)
            self.assertIn("new.person@example.org", done.text)

            access = [entry for entry in service.cli("access", "list") if entry["email"] == "new.person@example.org"]
            self.assertEqual([(entry["name"], entry["role_uuid"], entry["environment_uuid"]) for entry in access],
                             [("Nora Newcomer", service.role_uuid, service.environment_uuid)])
            [invitation] = service.cli("invitation", "list")
            self.assertEqual(invitation["state"], "accepted")

    def test_every_address_that_it_prints_works(self):
        with Service.demo() as service:
            self.assertFalse(service.send_invite("someone@example.org").fault)
            captured_mail.await_mail(service.mail_dir, "someone@example.org")
            for url in (service.base_url, service.wsdl_url, service.mail_url, service.base_url.rstrip("/") + "/ws-doc/"):
                page = service.person().open(url if urllib.parse.urlsplit(url).path else url + "/")
                self.assertEqual(page.status, 200, url)
            shown = service.person().open(service.mail_url)
            self.assertIn("someone@example.org", shown.text)

    def test_the_printed_curl_lines_can_be_pasted(self):
        """What a person reads, not the JSON: the lines that `./dev run` tells them to paste must work as they stand."""
        with Service("demo") as service:
            service.process = Process(["demo", "--listen", "127.0.0.1:0", "--state-dir", str(service.state_dir)],
                                      service.log_file)
            service.process.await_output(r"Ctrl-C")
            said = service.process.output_text()
            line = re.search(r"^\s*(curl .*?</\w+:Envelope>')$", said, re.MULTILINE | re.DOTALL)
            self.assertIsNotNone(line, said)
            result = subprocess.run(["sh", "-c", line.group(1)], capture_output=True, text=True, timeout=30, check=False)
            self.assertIn("SendInviteResponse", result.stdout, line.group(1) + result.stderr)
            line = re.search(r"^\s*(curl \S+ \S+/invitations .*?\}')$", said, re.MULTILINE | re.DOTALL)
            self.assertIsNotNone(line, said)
            result = subprocess.run(["sh", "-c", line.group(1)], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(json.loads(result.stdout)["invitation"]["email"], "grace@example.org", line.group(1) + result.stderr)
            mails = urllib.parse.urlsplit(re.search(r"http://\S+/demo/\S+", said).group(0))
            port = mails.port
            for address in ("ada@example.org", "grace@example.org"):
                wait_until(lambda: address in web_client.request(port, "GET", mails.path).text, what="the mail")
            command = re.search(r"\S*invited access list .*$", said, re.MULTILINE).group(0)
            shown = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn("ROLE", shown.stdout)


class TheMailSaysWhatAPersonNeeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service.serve(NO_RATES, app_name="Größe & <b>Mehr</b> 漢字")
        cls.service.send_invite("Reader@Example.ORG")
        cls.mail = captured_mail.await_mail(cls.service.mail_dir, "Reader@example.org")

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__(None, None, None)

    def test_it_names_inviter_app_and_role_in_subject_text_and_html(self):
        text = " ".join(self.mail.text.split())  # a line may end within a name
        for name in (self.service.inviter_name, self.service.app_name, self.service.role_name):
            self.assertIn(name, text)
        self.assertIn(self.service.inviter_name, self.mail.subject)
        self.assertIn(self.service.app_name, self.mail.subject)
        self.assertIn(f"sent by {self.service.app_name}", text)
        self.assertIn("&lt;b&gt;", self.mail.html)
        self.assertNotIn("<b>Mehr", self.mail.html)

    def test_it_says_in_words_until_when(self):
        [invitation] = self.service.cli("invitation", "list")
        until = datetime.datetime.fromisoformat(invitation["expires_at"].replace("Z", "+00:00"))
        self.assertIn(until.strftime("%B"), self.mail.text)
        self.assertRegex(self.mail.text, rf"\b{until.day}\b")
        week = until - datetime.datetime.now(datetime.timezone.utc)
        self.assertAlmostEqual(week.total_seconds(), 7 * 86400, delta=120)

    def test_its_headers_are_those_of_an_automatic_message(self):
        message = self.mail.message
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertRegex(message["Message-ID"], r"^<[0-9a-f-]{36}@invited\.example>$")
        sent = email.utils.parsedate_to_datetime(message["Date"])
        self.assertLess(abs((datetime.datetime.now(datetime.timezone.utc) - sent).total_seconds()), 120)
        self.assertEqual(email.utils.parseaddr(message["From"])[1], "invitations@invited.example")
        self.assertEqual(email.utils.parseaddr(message["To"])[1], "Reader@example.org")

    def test_it_is_text_first_then_html_and_seven_bit(self):
        self.assertEqual(self.mail.types, ["multipart/alternative", "text/plain", "text/html"])
        self.assertLess(max(self.mail.bytes), 128)
        self.assertLessEqual(max(len(line) for line in self.mail.bytes.split(b"\n")), 999)

    def test_nothing_in_it_is_loaded_from_anywhere(self):
        self.assertNotRegex(self.mail.html, r"""(?i)<(img|script|link|iframe|object)\b|url\(|src=""")
        addresses = set(re.findall(r"https?://[^\s\"'<>]+", self.mail.html))
        self.assertEqual(addresses, {self.mail.link})

    def test_the_page_behind_the_link_says_the_same(self):
        page = self.service.person().open(self.mail.link)
        for name in (self.service.inviter_name, self.service.app_name, self.service.role_name, "Reader@example.org"):
            self.assertIn(name, page.text + str([form.fields for form in page.forms]) + page.response.text)
        self.assertIn("Ina Viter", page.text)


class LanguagesFollowTheReader(unittest.TestCase):
    def test_the_mail_is_in_the_apps_language_and_the_page_in_the_browsers(self):
        words = {"en": "invites you", "nl": "nodigt", "de": "lädt", "fr": "invite", "es": "invita"}
        with Service.serve(NO_RATES) as service:
            for language, word in words.items():
                with self.subTest(language=language):
                    app = service.cli("app", "add", "--name", f"App {language}", "--url", "https://app.example.org",
                                      "--language", language)["app_uuid"]
                    role = service.cli("role", "add", "--app", app, "--name", "User")["role_uuid"]
                    environment = service.cli("environment", "add", "--app", app, "--name", f"production {language}")
                    service.cli("access", "grant", "--environment", environment["environment_uuid"], "--email",
                                service.inviter_email, "--role", role)
                    invitee = f"{language}@example.org"
                    answer = service.send_invite(invitee, RoleUUID=role,
                                                 EnvironmentUUID=environment["environment_uuid"],
                                                 EnvironmentPassword=environment["environment_password"])
                    self.assertFalse(answer.fault, answer)
                    mail = captured_mail.await_mail(service.mail_dir, invitee)
                    self.assertIn(word, mail.text)
                    for browser, expected in words.items():
                        page = service.person(language=f"{browser}-XX,{browser};q=0.9,en;q=0.5").open(mail.link)
                        self.assertEqual(page.language, browser)
                        self.assertIn(expected, page.text)


class TheServiceTellsHowItIs(unittest.TestCase):
    def test_it_is_alive_and_ready_and_describes_itself_with_its_public_url(self):
        settings = {**NO_RATES, "public_url": "https://invitations.example.org/base"}
        with Service.serve(settings) as service:
            for path in ("/healthz", "/readyz"):
                self.assertEqual(service.request("GET", path).status, 200, path)
            wsdl = service.request("GET", soap_client.PATH + "?wsdl", host="evil.example").text
            self.assertIn('location="https://invitations.example.org/base/ws/InviteAPI/1/soap1"', wsdl)
            self.assertNotIn("evil.example", wsdl)
            cookie = service.request("GET", "/sign-in").headers["Set-Cookie"]
            self.assertTrue(cookie.startswith("__Host-invited_csrf="), cookie)
            self.assertIn("; Secure", cookie)
            self.assertFalse(service.send_invite("somebody@example.org").fault)
            mail = captured_mail.await_mail(service.mail_dir, "somebody@example.org")
            self.assertTrue(mail.link.startswith("https://invitations.example.org/base/i/"))

    def test_a_second_one_does_not_start_on_the_same_files(self):
        with Service.serve(NO_RATES) as service:
            second = Process(["serve", "--config", str(service.config_file), "--http-listen", "127.0.0.1:0"],
                             service.folder / "second.log")
            self.assertNotEqual(second.wait(), 0)
            self.assertIn(str(service.process.child.pid), second.log_text())
            self.assertEqual(service.request("GET", "/readyz").status, 200)


if __name__ == "__main__":
    end_to_end.main()
