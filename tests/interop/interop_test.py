"""SOAP clients that people really use import the WSDL that the service serves and call it: zeep, PHP's SoapClient,
node-soap, and the C++ client that gSOAP generates. Each makes a good call and a refused one, whose fault code must
arrive in that client's own exception.

usage: interop_test.py zeep|php|node|gsoap
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import captured_mail
import end_to_end
from invited_service import NO_RATES, Service

HERE = pathlib.Path(__file__).resolve().parent
# What a client must escape and encode; an operator may bring such a password along.
PASSWORD = "p&ss <wörd> \"é漢字\" ]]> 'ü"


def command_of(client):
    """How to run a client; it takes a JSON object on standard input and prints one."""
    if client == "zeep":
        return [sys.executable, str(HERE / "zeep_client.py")], {}
    if client == "php":
        php = shutil.which("php") or end_to_end.skip("php is not installed")
        if "soap" not in subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.split():
            end_to_end.skip("PHP has no SOAP extension (Debian package php-soap)")
        return [php, "-d", "soap.wsdl_cache_enabled=0", str(HERE / "php_client.php")], {}
    if client == "node":
        modules = end_to_end.node_modules("interop")
        node = shutil.which("node") or end_to_end.skip("node is not installed")
        return [node, str(HERE / "node_client.js")], {"NODE_PATH": str(modules)}
    program = os.environ.get("INVITED_GSOAP_CLIENT", "")
    if not os.access(program, os.X_OK):
        end_to_end.skip("INVITED_GSOAP_CLIENT does not name the generated C++ client")
    return [program], {}


class ClientTest(unittest.TestCase):
    COMMAND, ENVIRONMENT = None, {}

    def call(self, service, **changes):
        parameters = {"EnvironmentUUID": self.environment["environment_uuid"], "EnvironmentPassword": PASSWORD,
                      "RoleUUID": service.role_uuid, "InviteeEmailAddress": "invitee@example.org",
                      "InviterEmailAddress": service.inviter_email, **changes}
        question = {"wsdl": service.wsdl_url, "endpoint": service.wsdl_url.split("?")[0], "parameters": parameters}
        result = subprocess.run(self.COMMAND, input=json.dumps(question), capture_output=True, text=True, timeout=90,
                                env={**os.environ, **self.ENVIRONMENT}, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def test_it_imports_the_wsdl_calls_and_understands_refusals(self):
        with Service.serve(NO_RATES) as service:
            self.environment = service.cli("environment", "add", "--app", service.app_uuid, "--name", "odd",
                                           "--password-stdin", stdin=PASSWORD + "\n")
            service.cli("access", "grant", "--environment", self.environment["environment_uuid"], "--email",
                        service.inviter_email, "--role", service.role_uuid)
            self.assertEqual(self.call(service), {"done": True})
            mail = captured_mail.await_mail(service.mail_dir, "invitee@example.org")
            self.assertEqual(service.person().open(mail.link).status, 200)

            refused = [({"EnvironmentPassword": PASSWORD[:-1]}, "authentication_failed", None),
                       ({"InviteeEmailAddress": "é<漢>&@example.org"}, "invalid_email_address", "InviteeEmailAddress"),
                       ({"InviteeEmailAddress": ""}, "missing_parameter", "InviteeEmailAddress"),
                       ({"InviterEmailAddress": "stranger@example.org"}, "inviter_without_access", "InviterEmailAddress"),
                       ({"RoleUUID": "4e3b7d32-51c4-4a4b-9f8e-0a4a1b2c3d4e"}, "unknown_role", "RoleUUID")]
            for changes, code, parameter in refused:
                with self.subTest(code):
                    answer = self.call(service, **changes)
                    self.assertFalse(answer["done"], answer)
                    self.assertTrue(answer["faultcode"].endswith("Client"), answer)
                    self.assertGreater(len(answer["faultstring"]), 20, answer)
                    self.assertIn(code, answer["detail"])
                    if parameter:
                        self.assertIn(parameter, answer["detail"])
            self.assertEqual(len(service.cli("invitation", "list")), 1)


if __name__ == "__main__":
    ClientTest.COMMAND, ClientTest.ENVIRONMENT = command_of(sys.argv.pop(1))
    end_to_end.main()
