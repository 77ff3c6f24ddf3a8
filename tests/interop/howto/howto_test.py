"""The how-tos beside the WSDLs (wsdl/howto-*.md), done: the programs in them are saved as they stand there, their
commands are run, and they must invite, or tell the code of a refusal.

In a how-to, a code block with a file's name behind its language is that file, "sh build" are commands that make a
program of it, "sh run" is the command that invites. Plain "sh" blocks are for people.

usage: howto_test.py python|php|java|dotnet
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

import end_to_end
from invited_service import NO_RATES, Service

# For each how-to the commands that tell what is installed, and the Debian package that has it.
NEEDED = {"python": {"python3 -c 'import zeep'": "python3-zeep"},
          "php": {"php -m | grep -qx soap": "php-cli, php-soap"},
          "java": {"javac -version": "openjdk-17-jdk-headless", "wsimport -version": "jaxws"},
          "dotnet": {"mcs --version": "mono-mcs", "command -v wsdl": "mono-devel", "mono --version": "mono-runtime"}}
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = "/usr/bin:/bin"  # Debian's programs, whatever else is there
INVITEE, INVITER = "new.person@example.org", "inviter@example.org"


class HowTo:
    def __init__(self, name, folder):
        text = (end_to_end.SOURCE_DIR / "wsdl" / f"howto-{name}.md").read_text(encoding="utf-8")
        self.folder = pathlib.Path(folder)
        self.build, self.run = [], []
        for language, what, content in BLOCK.findall(text):
            if language != "sh":
                (self.folder / what).write_text(content, encoding="utf-8")
            elif what in ("build", "run"):
                getattr(self, what).append(content)

    def execute(self, commands, environment):
        result = subprocess.run(["sh", "-euc", commands], cwd=self.folder, capture_output=True, text=True, timeout=150,
                                env={**os.environ, "PATH": PATH, **environment}, check=False)
        return result.returncode, result.stdout, result.stderr


class HowToTest(unittest.TestCase):
    NAME = None

    def test_it_invites_and_tells_why_it_could_not(self):
        with Service.serve(NO_RATES) as service, tempfile.TemporaryDirectory(prefix="invited-howto-") as folder:
            service.cli("account", "add", "--email", INVITER, "--name", "Ina Viter")
            service.cli("access", "grant", "--environment", service.environment_uuid, "--email", INVITER, "--role",
                        service.role_uuid)
            values = {"INVITE_SERVICE": service.base_url, "ENVIRONMENT_UUID": service.environment_uuid,
                      "ENVIRONMENT_PASSWORD": service.environment_password, "ROLE_UUID": service.role_uuid}
            howto = HowTo(self.NAME, folder)
            self.assertEqual(len(howto.run), 1)
            for commands in howto.build:
                code, output, errors = howto.execute(commands, values)
                self.assertEqual(code, 0, output + errors)

            code, output, errors = howto.execute(howto.run[0], values)
            self.assertEqual((code, output), (0, "invited\n"), errors)
            invitations = service.cli("invitation", "list")
            self.assertEqual([one["invitee_email"] for one in invitations], [INVITEE])

            for change, fault in (({"ENVIRONMENT_PASSWORD": "wrong"}, "authentication_failed"),
                                  ({"ROLE_UUID": service.environment_uuid}, "unknown_role")):
                with self.subTest(fault):
                    code, output, errors = howto.execute(howto.run[0], {**values, **change})
                    self.assertEqual((code, output), (1, ""), errors)
                    self.assertRegex(errors, rf"(?m)^{fault}: .{{20,}}")
            self.assertEqual(len(service.cli("invitation", "list")), 1)


if __name__ == "__main__":
    HowToTest.NAME = sys.argv.pop(1)
    for command, package in NEEDED[HowToTest.NAME].items():
        if subprocess.run(["sh", "-c", command], env={"PATH": PATH}, capture_output=True, check=False).returncode != 0:
            end_to_end.skip(f"howto-{HowToTest.NAME}.md: not installed: Debian package {package}")
    end_to_end.main()
