"""A second opinion on the WS-I Basic Profile 1.1: .NET's checker, as Mono has it, finds nothing in wsdl/; and does find
what is wrong in a document that was spoiled."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import end_to_end

HERE = pathlib.Path(__file__).resolve().parent
WSDLS = sorted((end_to_end.SOURCE_DIR / "wsdl").glob("*.wsdl"))


class ConformanceTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="invited-conformance-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.program = self.folder / "conformance.exe"
        self.run_tool("mcs", "-r:System.Web.Services", f"-out:{self.program}", str(HERE / "conformance.cs"))

    def run_tool(self, *command):
        result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def violations(self, *files):
        return self.run_tool("mono", str(self.program), *map(str, files))

    def test_dot_nets_checker_finds_nothing(self):
        self.assertGreater(len(WSDLS), 4)
        self.assertEqual(self.violations(*WSDLS), "")

    def test_it_would_find_something(self):
        for rule, before, after in (("R2706", 'use="literal"', 'use="encoded"'),
                                    ("R2716", 'use="literal"', 'use="literal" namespace="urn:x"'),
                                    ("R2702", "http://schemas.xmlsoap.org/soap/http", "urn:mail")):
            with self.subTest(rule):
                spoiled = self.folder / f"{rule}.wsdl"
                spoiled.write_text(WSDLS[0].read_text().replace(before, after))
                self.assertIn(rule, self.violations(spoiled))


if __name__ == "__main__":
    for tool in ("mcs", "mono"):
        if shutil.which(tool) is None:
            end_to_end.skip(f"{tool} is not installed (Debian package mono-devel)")
    end_to_end.main()
