"""The SoapUI project: is it what the WSDLs give, does it have the form that SoapUI reads, and do its requests get
answers that its assertions accept?

usage: soapui_test.py            the project by soapui_project.py, which stands in for SoapUI
       soapui_test.py runner     the project by SoapUI's own testrunner.sh, where that is installed
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import end_to_end
import make_project
import soapui_project
import web_client
from invited_service import NO_RATES, Service

SCHEMA = HERE / "project.xsd"
# What must be escaped in a request, from a property that holds it as it is.
PASSWORD = "p&ss <wörd> \"é漢字\" ]]> 'ü"


def set_up(service):
    """An environment whose password is awkward; returns what a tester types into the project's properties."""
    environment = service.cli("environment", "add", "--app", service.app_uuid, "--name", "for SoapUI",
                              "--password-stdin", stdin=PASSWORD + "\n")["environment_uuid"]
    service.cli("environment", "set", environment, "--openid-template", "{email}")
    service.cli("access", "grant", "--environment", environment, "--email", service.inviter_email, "--role",
                service.role_uuid)
    return {"Address": f"http://127.0.0.1:{service.port}", "EnvironmentUUID": environment,
            "EnvironmentPassword": PASSWORD, "RoleUUID": service.role_uuid,
            "InviterEmailAddress": service.inviter_email, "InviteeEmailAddress": "new.person@example.org",
            "OpenID": service.inviter_email}


class ProjectFile(unittest.TestCase):
    def test_is_what_the_wsdls_give(self):
        self.assertEqual(make_project.PROJECT_FILE.read_text(encoding="utf-8"), make_project.make_project(),
                         "run tests/interop/soapui/make_project.py and commit what it writes")

    def test_has_the_form_that_soapui_reads(self):
        result = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA),
                                 str(make_project.PROJECT_FILE)], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_calls_every_operation_of_every_service(self):
        project = soapui_project.Project(make_project.PROJECT_FILE, {})
        for requests in (project.samples(), project.steps()):
            called = {(request.interface.get("name"), request.operation.get("name")) for _, request in requests}
            self.assertEqual(called, {("InviteAPI 1", "SendInvite"), ("PermissionsAPI 1", "GetRolesForOpenID"),
                                      ("ProfileService 3", "GetUserProfile"), ("ProfileService 1", "GetDisplayName")})

    def test_expects_a_success_and_a_refusal_of_every_operation(self):
        kinds = {}
        for _, request in soapui_project.Project(make_project.PROJECT_FILE, {}).steps():
            types = {assertion.get("type") for assertion in request.assertions}
            kinds.setdefault(request.operation.get("name"), set()).update(types)
        for types in kinds.values():
            self.assertEqual(types, set(soapui_project.CHECKS))


def send(port, request):
    prefix = f"http://127.0.0.1:{port}"
    assert request.endpoint.startswith(prefix), request.endpoint
    return web_client.request(port, "POST", request.endpoint.removeprefix(prefix), request.body,
                              {"Content-Type": "text/xml;charset=UTF-8", "SOAPAction": f'"{request.action}"'})


class ProjectWithTheDemo(unittest.TestCase):
    def test_needs_nothing_but_the_environments_uuid_and_password(self):
        with Service.demo(NO_RATES) as service:
            own = {"EnvironmentUUID": service.environment_uuid, "EnvironmentPassword": service.environment_password}
            # Here on a free port, else as in the project.
            default, here = "http://127.0.0.1:8080", service.base_url.rstrip("/")
            properties = {name: value.replace(default, here) for name, value, _ in make_project.PROPERTIES}
            for name, request in soapui_project.Project(make_project.PROJECT_FILE, {**properties, **own}).steps():
                with self.subTest(name):
                    answer = send(service.port, request)
                    request.check(answer.status, answer.body)


class ProjectRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        service = cls.enterClassContext(Service.serve(NO_RATES))
        cls.port = service.port
        cls.project = soapui_project.Project(make_project.PROJECT_FILE, set_up(service))

    def send(self, request):
        return send(self.port, request)

    def test_every_sample_request_fits_the_schema_and_succeeds(self):
        for name, request in self.project.samples():
            with self.subTest(name):
                request.validate(soapui_project.soap_body(request.body)[0])
                answer = self.send(request)
                self.assertEqual(answer.status, 200, answer.body)
                soapui_project.check_schema(request, answer.status, answer.body, None)

    def test_every_step_gets_the_answer_that_it_asserts(self):
        for name, request in self.project.steps():
            with self.subTest(name):
                answer = self.send(request)
                request.check(answer.status, answer.body)

    def test_an_assertion_fails_where_the_answer_is_another(self):
        steps = list(self.project.steps())
        answers = [self.send(request) for _, request in steps]
        for name, request in steps:
            expects_fault = any(one.get("type") == "Not SOAP Fault Assertion" for one in request.assertions)
            for answer in answers:
                if (answer.status == 500) != expects_fault:
                    with self.subTest(name), self.assertRaises(soapui_project.AssertionFailed):
                        request.check(answer.status, answer.body)

    def test_the_wsdl_is_served_where_the_project_looks_for_it(self):
        for name, interface in self.project.interfaces.items():
            with self.subTest(name):
                url = self.project.expand(interface.get("definition"))
                answer = web_client.request(self.port, "GET", url.partition(str(self.port))[2])
                self.assertEqual(answer.status, 200)
                self.assertIn(interface.get("bindingName").partition("}")[2], answer.body.decode())


def testrunner():
    home = os.environ.get("SOAPUI_HOME")
    found = shutil.which("testrunner.sh", path=str(pathlib.Path(home) / "bin") if home else None)
    return found or end_to_end.skip(
        "the SoapUI project by SoapUI's own testrunner.sh: it is neither on PATH nor in $SOAPUI_HOME/bin, and the package "
        "registries that the tests use do not have it (Maven's central one only a part of version 4.0.1). Install SoapUI "
        "from its makers to run this. The test interop.soapui runs the project's requests and assertions without it.")



class SoapUi(unittest.TestCase):
    def test_runs_every_suite_without_a_failure(self):
        with Service.serve(NO_RATES) as service, tempfile.TemporaryDirectory() as folder:
            properties = [f"-P{name}={value}" for name, value in set_up(service).items()]
            result = subprocess.run([RUNNER, "-r", "-f", folder, *properties, str(make_project.PROJECT_FILE)],
                                    capture_output=True, text=True, timeout=300, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["runner"]:
        del sys.argv[1]
        RUNNER = testrunner()
        del ProjectFile, ProjectRun, ProjectWithTheDemo
    else:
        del SoapUi
    end_to_end.main()
