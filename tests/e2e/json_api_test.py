"""The lines of the README's section "JSON API", as they stand there, in a shell, against the program."""

import json
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import end_to_end
import json_clients
from invited_service import NO_RATES, Service


def readme_lines():
    section = (end_to_end.SOURCE_DIR / "README.md").read_text(encoding="utf-8").split("\n## JSON API\n")[1].split("\n## ")[0]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


class JsonApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service.serve(NO_RATES))

    def test_the_lines_of_the_readme_do_what_they_say(self):
        lines = readme_lines().replace('"User"', json.dumps(self.service.role_name))
        self.assertEqual(lines.count("\n"), 10)
        token = json_clients.add_token(self.service)
        done = subprocess.run(["sh", "-eu", "-c", lines.replace("\napi ", "\necho; api ")], text=True,
                              env={"PATH": "/usr/bin:/bin", "TOKEN": token, "URL": self.service.base_url},
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines() if line]
        self.assertEqual([next(iter(answer)) for answer in answers],
                         ["roles", "effect", "effect", "dry_run", "invitation", "invitation", "effect", "invitation"])
        self.assertEqual(answers[3]["results"][0]["verdict"], "new")
        self.assertEqual(answers[4]["invitation"]["timeline"][0]["event"], "invitation.created")
        self.assertEqual(answers[5]["invitation"]["metadata"], {"order": 19})
        self.assertEqual(answers[6]["invitation"]["generation"], 2)
        self.assertEqual(answers[7]["invitation"]["state"], "revoked")

    def test_the_page_and_the_description_are_there_for_everybody(self):
        with urllib.request.urlopen(f"{self.service.base_url}/api/v1/docs") as page:
            self.assertIn("JSON API", page.read().decode())
        with urllib.request.urlopen(f"{self.service.base_url}/api/v1/openapi.json") as description:
            self.assertEqual(json.load(description)["servers"], [{"url": f"{self.service.base_url}/api/v1"}])


if __name__ == "__main__":
    end_to_end.main()
