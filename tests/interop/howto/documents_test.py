"""What the documents say of each other: links lead somewhere, and the README's table of stacks is the one beside the
tests of the stacks."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import end_to_end

ROOT = end_to_end.SOURCE_DIR
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def documents():
    return [*ROOT.glob("*.md"), *(path for folder in ("src", "tests", "wsdl") for path in ROOT.glob(f"{folder}/**/*.md"))]


def rows(path, columns):
    """The rows of the table that begins with "| stack |": so many first cells of each."""
    table = path.read_text(encoding="utf-8").split("\n| stack |", 1)[1].split("\n\n", 1)[0]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")[:columns]) for line in table.split("\n")[2:]]


class Documents(unittest.TestCase):
    def test_every_link_leads_to_a_file(self):
        self.assertGreater(len(documents()), 8)
        for document in documents():
            for target in LINK.findall(document.read_text(encoding="utf-8")):
                with self.subTest(document=str(document.relative_to(ROOT)), target=target):
                    self.assertTrue((document.parent / target).exists())

    def test_the_readme_has_the_stacks_and_versions_of_the_tests(self):
        stacks = rows(ROOT / "tests/interop/README.md", 3)
        self.assertGreater(len(stacks), 9)
        self.assertEqual(rows(ROOT / "README.md", 3)[:len(stacks)], stacks)

    def test_every_how_to_is_linked(self):
        for index in (ROOT / "README.md", ROOT / "wsdl/README.md"):
            text = index.read_text(encoding="utf-8")
            for howto in ROOT.glob("wsdl/howto-*.md"):
                self.assertIn(f"{howto.name})", text)


if __name__ == "__main__":
    end_to_end.main()
