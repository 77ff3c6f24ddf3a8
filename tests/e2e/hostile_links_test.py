"""Rows T of the hostile cases with the real program: scanners, double posts, dead links, foreign forms, open redirects,
forged hosts, headers."""

import concurrent.futures
import http.client
import json
import pathlib
import re
import secrets
import socket
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
import soap_client
import timing
import web_client
from invited_service import NO_RATES, Service, wait_until
from json_clients import add_token

PASSWORD = "seventeen quiet otters dance"
OTHER_PASSWORD = "velvet tractor umbrella noon"
SIGN_UP = {"name": "Some One", "password": PASSWORD, "password_again": PASSWORD}
SCANNERS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks", "Barracuda Sentinel (EE)", "Slackbot-LinkExpanding 1.0",
            "facebookexternalhit/1.1", "GoogleImageProxy", "curl/8", ""]


class LinkTest(unittest.TestCase):
    SETTINGS = {**NO_RATES, "invitation.repeat_window": "0s"}

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(cls.SETTINGS))

    def invited(self, invitee, number=1, **changes):
        answer = self.service.send_invite(invitee, **changes)
        self.assertFalse(answer.fault, answer)
        return captured_mail.await_mail(self.service.mail_dir, invitee, number)

    def state(self, invitee):
        return [i["state"] for i in self.service.cli("invitation", "list", "--email", invitee)]

    def accept(self, link, **values):
        person = self.service.person()
        return person.submit(person.open(link), "/accept", {**SIGN_UP, **values})


class LookingChangesNothing(LinkTest):
    def test_a_hundred_scanners_come_before_the_human(self):
        """T01."""
        link = self.invited("scanned@example.org").link
        for number in range(100):
            extra = [{}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}][number % 4]
            scanner = self.service.person(user_agent=SCANNERS[number % len(SCANNERS)])
            self.assertEqual(scanner.open(link, "HEAD" if number % 5 == 0 else "GET", **extra).status, 200)
        self.assertEqual(self.accept(link).status, 200)
        self.assertEqual(self.state("scanned@example.org"), ["accepted"])

    def test_a_head_says_what_get_says_without_the_page(self):
        link = self.invited("head@example.org").link
        head, get = self.service.person().open(link, "HEAD"), self.service.person().open(link)
        self.assertEqual((head.status, head.response.body), (200, b""))
        for name in ("Content-Type", "Content-Security-Policy", "Referrer-Policy", "Cache-Control"):
            self.assertEqual(head.headers[name], get.headers[name], name)

    def test_a_scanner_that_sends_the_form_without_a_password_uses_nothing_up(self):
        """T02."""
        link = self.invited("form@example.org").link
        for values in ({}, {"name": "x"}, {"name": "x", "password": ""}, {"password": PASSWORD, "password_again": PASSWORD},
                       {"name": "x", "password": "short", "password_again": "short"},
                       {"name": "x", "password": PASSWORD, "password_again": PASSWORD + "!"}):
            scanner = self.service.person()
            again = scanner.submit(scanner.open(link), "/accept", values)
            self.assertEqual(again.status, 422, values)
            self.assertIsNotNone(again.form("/accept"))
            self.assertNotIn(PASSWORD, again.response.text)
        self.assertEqual(self.state("form@example.org"), ["pending"])
        self.assertEqual(self.accept(link).status, 200)


class OneLinkIsOneAcceptance(LinkTest):
    def test_of_two_posts_at_the_same_moment_one_succeeds(self):
        """T03, on SQLite; tests/faults/postgres/instances_test.py does it on PostgreSQL."""
        rounds = end_to_end.rounds(8, 1000)
        first = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for number in range(rounds):
                invitee = f"twice{number}@example.org"
                link = self.invited(invitee).link
                people = [self.service.person() for _ in range(2)]
                pages = [person.open(link) for person in people]
                # Two passwords: with one it would be one form that was sent twice.
                forms = [SIGN_UP, {**SIGN_UP, "password": OTHER_PASSWORD, "password_again": OTHER_PASSWORD}]
                answers = [pool.submit(person.submit, page, "/accept", form)
                           for person, page, form in zip(people, pages, forms)]
                statuses = [answer.result().status for answer in answers]
                self.assertEqual(sorted(statuses), [200, 404], number)
                first += statuses[0] == 200
                self.assertEqual(self.state(invitee), ["accepted"])
                for mail in self.service.mail_dir.glob("*.eml"):  # each look for the next one reads them all
                    mail.unlink()
        invitees = sorted(f"twice{number}@example.org" for number in range(rounds))
        for kind in ("account", "access"):
            self.assertEqual(sorted(one["email"] for one in self.service.cli(kind, "list")
                                    if one["email"].startswith("twice")), invitees, kind)
        print(f"\n  {rounds} rounds, {first} won by the one that was sent first", flush=True)

    def test_nobody_but_the_invited_address_gets_in(self):
        link = self.invited("invited@example.org").link
        self.accept(link, email="mallory@example.org", InviteeEmailAddress="mallory@example.org")
        self.assertEqual([a["email"] for a in self.service.cli("account", "list")
                          if a["email"] in ("mallory@example.org", "invited@example.org")], ["invited@example.org"])


class DeadLinksLookAlike(LinkTest):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve({**cls.SETTINGS, "invitation.lifetime": "1s"}))
        # Answered with its link: a mail might not leave before it is dead.
        made = cls.service.request(
            "POST", "/api/v1/invitations",
            json.dumps({"email": "late@example.org", "roles": [cls.service.role_name], "send": False}),
            {"Authorization": "Bearer " + add_token(cls.service, "--links"), "Content-Type": "application/json"})
        expired = json.loads(made.text)["link"]
        wait_until(lambda: cls.service.person().open(expired).status == 404)
        cls.service.stop()
        del cls.service.settings["invitation.lifetime"]
        cls.service.write_config()
        cls.service.start()
        cls.dead = {"expired": expired}

    def setUp(self):
        """`dead` are genuine links, by why they are dead."""
        if len(self.dead) > 1:
            return
        used = self.invited("used@example.org").link
        self.accept(used)
        superseded = self.invited("superseded@example.org").link
        self.invited("superseded@example.org", 2)
        wait_until(lambda: self.service.person().open(superseded).status == 404)  # the newer one has left
        revoked = self.invited("revoked@example.org").link
        [invitation] = self.service.cli("invitation", "list", "--email", "revoked@example.org")
        self.service.cli("invitation", "revoke", invitation["invitation_uuid"])
        self.dead.update(used=used, superseded=superseded, revoked=revoked)

    def test_used_superseded_revoked_expired_random_and_cut_off_ones(self):
        """T04: status, headers and size; what the page says to the holder of a genuine token differs."""
        used = self.dead["used"]
        start, token = used.rsplit("/", 1)
        altered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
        links = {**self.dead, "altered": f"{start}/{altered}",
                 "random": f"{start}/{secrets.token_urlsafe(54)}", "cut off": used[:-10], "short": f"{start}/x",
                 "with a blank": f"{start}/{token}%20", "with a path": f"{start}/{token}%2e"}
        del links["with a path"]  # not a path at all: the router's 404, checked below
        shapes, sizes = {}, {}
        for name, link in links.items():
            page = self.service.person().open(link)
            headers = [(key, re.sub(r"=\S+", "=…", value)) for key, value in page.headers.items() if key != "Date"]
            shapes[name] = (page.status, tuple(key for key, _ in headers), page.headers["Content-Type"])
            sizes[name] = len(page.response.body)
        self.assertEqual(len(set(shapes.values())), 1, shapes)
        self.assertLessEqual(max(sizes.values()) - min(sizes.values()), 16, sizes)
        self.assertEqual(self.service.person().open(f"{start}/{'A' * 1900}").status, 404)
        self.assertEqual(self.service.person().open(f"{start}/{'A' * 10240}").status, 414)

    def compare_times(self, links, reference, samples):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        self.addCleanup(connection.close)

        def open_timed(path):
            began = time.perf_counter_ns()
            connection.request("GET", path, headers={"Accept": "text/html"})
            answer = connection.getresponse()
            answer.read()
            took = time.perf_counter_ns() - began
            self.assertEqual(answer.status, 404)
            return took

        paths = {name: urllib.parse.urlsplit(link).path for name, link in links.items()}
        return timing.compare({name: lambda path=path: open_timed(path) for name, path in paths.items()}, reference,
                              samples)

    def test_by_the_time_they_take_forged_ones(self):
        """T04: how near a guess came, and to what, is not to be seen. The short form has too few samples to say so."""
        opened = self.invited("opened@example.org").link
        links = {f"almost {name}": link[:-2] + ("AA" if link[-2:] != "AA" else "BB")
                 for name, link in {"open": opened, **self.dead}.items()}
        start, token = opened.rsplit("/", 1)
        version = token[:3]  # and the key's number
        links["made up"] = f"{start}/{version}{secrets.token_urlsafe(54)[len(version):]}"
        _, differences = self.compare_times(links, "made up", end_to_end.rounds(500, 100_000))
        if end_to_end.IS_LONG_FORM:
            self.assertLess(max(map(abs, differences.values())), timing.NO_DIFFERENCE, differences)

    def test_by_the_time_they_take_genuine_ones_roughly(self):
        """T04: their pages differ, and who has such a link may know why it is dead; nothing is to stand out."""
        medians, _ = self.compare_times(self.dead, "revoked", end_to_end.rounds(500, 10_000))
        self.assertLess(max(medians.values()), 1.5 * min(medians.values()))

    def test_guessing_is_slowed_down_and_genuine_links_are_not(self):
        """T18, bounded."""
        limits = {name: value for name, value in NO_RATES.items() if "wrong_links" not in name}
        with Service.serve(limits) as service:
            service.send_invite("genuine@example.org")
            link = captured_mail.await_mail(service.mail_dir, "genuine@example.org").link
            start = link.rsplit("/", 1)[0]
            statuses = [service.person().open(f"{start}/{secrets.token_urlsafe(54)}").status for _ in range(32)]
            self.assertEqual(statuses, [404] * 30 + [429] * 2)
            self.assertEqual(service.person().open(link).status, 200)


class FormsComeFromOurPages(LinkTest):
    def test_others_are_refused_and_nothing_happens(self):
        """T10."""
        link = self.invited("csrf@example.org").link
        other = self.invited("csrf2@example.org").link
        foreign_value = self.service.person().open(other).form("/accept").fields["csrf"]
        cases = [("no value", {"csrf": None}, {}), ("empty value", {"csrf": ""}, {}),
                 ("another link's value", {"csrf": foreign_value}, {}),
                 ("foreign origin", {}, {"Origin": "https://evil.example"}),
                 ("null origin", {}, {"Origin": "null", "Sec-Fetch-Site": None}),
                 ("cross-site", {}, {"Sec-Fetch-Site": "cross-site"}),
                 ("same-site", {}, {"Sec-Fetch-Site": "same-site"})]
        for name, values, headers in cases:
            for action in ("/accept", "/decline"):
                with self.subTest(name, action=action):
                    person = self.service.person()
                    self.assertEqual(person.submit(person.open(link), action, {**SIGN_UP, **values}, headers).status, 403)
        self.assertEqual(self.state("csrf@example.org"), ["pending"])

    def test_without_cookies_the_page_says_what_to_do(self):
        """T21."""
        link = self.invited("cookies@example.org").link
        person = self.service.person()
        page = person.open(link)
        person.cookies.clear()
        refused = person.submit(page, "/accept", SIGN_UP)
        self.assertEqual(refused.status, 403)
        self.assertIn("cookie", refused.text.lower())

    def test_a_cookie_that_an_attacker_planted_is_never_taken_over(self):
        """T11."""
        link = self.invited("fixation@example.org").link
        person = self.service.person()
        person.cookies = {name: "planted" for name in ("invited_csrf", "__Host-invited_csrf")}
        page = person.open(link)
        self.assertNotEqual(person.cookies["invited_csrf"], "planted")
        self.assertEqual(person.submit(page, "/accept", SIGN_UP).status, 200)
        self.assertNotEqual(person.cookies["invited_csrf"], "planted")

    def test_only_forms_are_read(self):
        link = self.invited("types@example.org").link
        path = urllib.parse.urlsplit(link).path + "/accept"
        for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
            answer = self.service.request("POST", path, '{"password":"x"}', {"Content-Type": content_type})
            self.assertIn(answer.status, (400, 403, 415), content_type)
        self.assertEqual(self.state("types@example.org"), ["pending"])


class NothingLeadsElsewhere(LinkTest):
    def test_no_parameter_redirects(self):
        """T13."""
        link = self.invited("next@example.org").link
        for target in ("//evil.example", "https:evil.example", "\\\\evil.example", "javascript:alert(1)",
                       "https://evil.example/"):
            for parameter in ("next", "url", "redirect", "return_to", "continue"):
                page = self.service.person().open(f"{link}?{parameter}={urllib.parse.quote(target, safe='')}")
                self.assertEqual(page.status, 200)
                self.assertNotIn("evil", page.response.text)
                self.assertIsNone(page.headers["Location"])
        person = self.service.person()
        page = person.open(link)
        page.forms[0].action += "?next=//evil.example"
        done = person.submit(page, "next=//evil.example", SIGN_UP)
        self.assertNotIn("evil", done.response.text)

    def test_a_forged_host_appears_nowhere(self):
        """T14."""
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example",
                "X-Original-URL": "https://evil.example/"}
        parameters = self.service.invite_parameters("host@example.org")
        headers = {name: value for name, value in evil.items() if name != "Host"}
        answer = soap_client.send_invite(self.service.port, parameters, headers=headers, host="evil.example")
        self.assertFalse(answer.fault, answer)
        mail = captured_mail.await_mail(self.service.mail_dir, "host@example.org")
        self.assertNotIn("evil", mail.bytes.decode())
        self.assertTrue(mail.link.startswith(self.service.base_url + "/i/"))
        path = urllib.parse.urlsplit(mail.link).path
        for target in (path, path + "x", "/", "/sign-in", "/profile", "/forgot-password", "/reset-password/x", "/id?id=x",
                       "/ws-doc/", soap_client.PATH + "?wsdl", "/nothing/here"):
            response = self.service.request("GET", target, headers=headers, host="evil.example")
            self.assertNotIn("evil", response.text + str(response.headers), target)

    def test_a_forged_host_does_not_get_into_the_link_to_a_new_password(self):
        """T14, the classic way to steal such a link."""
        self.assertEqual(self.accept(self.invited("reset.host@example.org").link).status, 200)
        person = self.service.person()
        form = person.open(self.service.base_url + "/forgot-password").form("/forgot-password")
        body = urllib.parse.urlencode({**form.fields, "email": "reset.host@example.org"})
        answer = self.service.request("POST", "/forgot-password", body, {
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": f"invited_csrf={person.cookies['invited_csrf']}",
            "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}, host="evil.example")
        self.assertEqual(answer.status, 200, answer.text)
        mail = captured_mail.await_mail(self.service.mail_dir, "reset.host@example.org", 2)
        self.assertNotIn("evil", mail.bytes.decode())
        self.assertTrue(mail.reset_link.startswith(self.service.base_url + "/reset-password/"))

    def test_pages_load_nothing_and_tell_nobody(self):
        """T15."""
        link = self.invited("refs@example.org").link
        own = urllib.parse.urlsplit(link).netloc
        page = self.service.person().open(link)
        for tag, reference in page.references:
            self.assertIn(urllib.parse.urlsplit(urllib.parse.urljoin(link, reference)).netloc, (own,), (tag, reference))
        done = self.accept(link)
        outside = [reference for tag, reference in done.references
                   if urllib.parse.urlsplit(urllib.parse.urljoin(link, reference)).netloc != own]
        self.assertEqual(outside, ["https://timesheets.example.org/"])
        self.assertRegex(done.response.text, r'href="https://timesheets\.example\.org/" rel="[^"]*noreferrer')
        for shown in (page, done):
            self.assertIn(shown.headers["Referrer-Policy"], ("no-referrer", "strict-origin", "origin", "same-origin"))


class SessionsOverTls(LinkTest):
    """Behind a proxy that speaks TLS, which is how most run it."""
    SETTINGS = {**LinkTest.SETTINGS, "http.trusted_proxies": ["127.0.0.1"]}
    TLS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}

    def test_the_cookies_are_bound_to_the_host(self):
        """T11: what was planted without TLS counts nothing; a session is new with each sign-in."""
        self.assertEqual(self.accept(self.invited("tls@example.org").link).status, 200)
        service = self.service

        def sign_in(planted=""):
            page = service.request("GET", "/sign-in", headers=self.TLS)
            csrf = page.headers["Set-Cookie"].split(";")[0]
            self.assertTrue(csrf.startswith("__Host-invited_csrf="), csrf)
            form = web_client.Page(page, "/sign-in").form("/sign-in")
            body = urllib.parse.urlencode({**form.fields, "email": "tls@example.org", "password": PASSWORD})
            answer = service.request("POST", "/sign-in", body, {
                **self.TLS, "Content-Type": "application/x-www-form-urlencoded", "Cookie": f"{planted}; {csrf}"})
            self.assertEqual((answer.status, answer.headers["Location"]), (303, "/profile"), answer.text)
            cookies = answer.headers.get_all("Set-Cookie")
            [session] = [cookie for cookie in cookies if "session" in cookie]
            self.assertRegex(session, r"^__Host-invited_session=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; "
                                      r"Max-Age=\d+; Secure$")
            self.assertTrue(any(cookie.startswith("__Host-invited_csrf=") and csrf not in cookie for cookie in cookies))
            return session.split(";")[0]

        def status(cookie, headers):
            return service.request("GET", "/profile", headers={**headers, "Cookie": cookie}).status

        first = sign_in()
        second = sign_in(planted=first)
        self.assertNotEqual(first, second)
        self.assertEqual(status(second, self.TLS), 200)
        self.assertEqual(status(first, self.TLS), 303, "the session before has ended")
        self.assertEqual(status(second.removeprefix("__Host-"), self.TLS), 303, "planted over plain HTTP")
        self.assertEqual(status(second, {}), 303)


class EveryAnswerIsProtected(LinkTest):
    def answers(self):
        link = urllib.parse.urlsplit(self.invited("headers@example.org").link).path
        request = self.service.request
        soap = soap_client.soap_headers()
        yield "page", request("GET", link)
        yield "post without a form", request("POST", link + "/accept", "x=1",
                                             {"Content-Type": "application/x-www-form-urlencoded"})
        yield "dead link", request("GET", link + "x")
        yield "home", request("GET", "/")
        for path in ("/sign-in", "/forgot-password", "/reset-password/x", "/profile", "/sign-out", "/id?id=x"):
            yield "account page " + path, request("GET", path)
        for path in ("/sign-in", "/sign-out", "/profile", "/forgot-password", "/reset-password/x"):
            yield "post to " + path, request("POST", path, "x=1", {"Content-Type": "application/x-www-form-urlencoded"})
            yield "other type to " + path, request("POST", path, "{}", {"Content-Type": "application/json"})
        yield "no page", request("GET", "/nothing/here")
        yield "odd path", request("GET", "/%2e%2e/etc/passwd")
        yield "method", request("DELETE", link)
        yield "documentation", request("GET", "/ws-doc/")
        yield "WSDL", request("GET", soap_client.PATH + "?wsdl")
        yield "SOAP", request("POST", soap_client.PATH,
                              soap_client.envelope(self.service.invite_parameters("ok@example.org")), soap)
        yield "fault", request("POST", soap_client.PATH, soap_client.envelope({}), soap)
        yield "malformed", request("POST", soap_client.PATH, "<", soap)
        yield "SOAP method", request("PUT", soap_client.PATH, "x", soap)
        yield "media type", request("POST", soap_client.PATH, "x", {"Content-Type": "text/plain"})
        yield "too large", request("POST", soap_client.PATH, "x" * 70000, soap)
        yield "too long", request("GET", "/" + "x" * 3000)
        yield "alive", request("GET", "/healthz")
        yield "ready", request("GET", "/readyz")
        for path in sorted({urllib.parse.urlsplit(reference).path
                            for tag, reference in self.service.person().open(self.service.base_url + link).references
                            if tag in ("link", "script")}):
            yield path, request("GET", path)
        yield "not HTTP", self.raw(b"FOO 200 bar\r\n\r\n")
        yield "two lengths", self.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.service.port), 10) as connection:
            connection.sendall(data)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return web_client.Response(answer.status, answer.msg, answer.read())

    def test_by_the_same_headers_whatever_its_status(self):
        """T16."""
        statuses = set()
        for name, answer in self.answers():
            with self.subTest(name, status=answer.status):
                statuses.add(answer.status)
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
                policy = answer.headers["Content-Security-Policy"] or ""
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertIn("default-src 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertTrue(answer.headers["Referrer-Policy"])
                if not name.startswith("/"):
                    self.assertIn("no-store", answer.headers["Cache-Control"] or "")
                self.assertIsNone(answer.headers["X-Powered-By"])
                self.assertNotRegex(answer.headers["Server"] or "", r"[0-9]")
        self.assertLessEqual({200, 400, 403, 404, 405, 413, 414, 415, 500}, statuses)


if __name__ == "__main__":
    end_to_end.main()
