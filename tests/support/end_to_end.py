"""What the end-to-end scripts share: they are unittest programs that CTest runs; one that cannot run here says why,
loudly, and exits with 77."""

import os
import pathlib
import sys
import unittest

BUILD_DIR = pathlib.Path(os.environ["INVITED_BINARY"]).resolve().parent if "INVITED_BINARY" in os.environ else None
SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


def skip(reason):
    print(f"\n{'=' * 100}\nNOT TESTED: {reason}\n{'=' * 100}", file=sys.stderr, flush=True)
    sys.exit(SKIPPED)


def node_modules(suite):
    """The folder with the npm packages of tests/<suite>, which ./dev test installs; without it the script ends."""
    folder = SOURCE_DIR / "build" / f"{suite}-node" / "node_modules"
    if not folder.is_dir():
        skip(f"the npm packages of tests/{suite} are not installed: no {folder} (./dev test installs them)")
    return folder


def main():
    unittest.main(verbosity=2)
