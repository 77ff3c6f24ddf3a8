"""What the end-to-end scripts share: they are unittest programs that CTest runs; one that cannot run here says why,
loudly, and exits with 77.

Fault tests have a short form, part of ./dev test, and a long one, ./dev test faults (INVITED_FAULTS=long): the same test
with more rounds. CTest's limit of time is the long form's; a short form that hangs ends itself."""

import faulthandler
import os
import pathlib
import signal
import sys
import threading
import unittest

BUILD_DIR = pathlib.Path(os.environ["INVITED_BINARY"]).resolve().parent if "INVITED_BINARY" in os.environ else None
SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
IS_LONG_FORM = os.environ.get("INVITED_FAULTS") == "long"


def rounds(short_form, long_form):
    """How many rounds of a fault test: rounds(15, 1000)."""
    return long_form if IS_LONG_FORM else short_form


def skip(reason):
    print(f"\n{'=' * 100}\nNOT TESTED: {reason}\n{'=' * 100}", file=sys.stderr, flush=True)
    sys.exit(SKIPPED)


def node_modules(suite):
    """The folder with the npm packages of tests/<suite>, which ./dev test installs; without it the script ends."""
    folder = SOURCE_DIR / "build" / f"{suite}-node" / "node_modules"
    if not folder.is_dir():
        skip(f"the npm packages of tests/{suite} are not installed: no {folder} (./dev test installs them)")
    return folder


def _end_hanging():
    """Says where it hangs, and ends what it started."""
    faulthandler.dump_traceback(all_threads=True)
    children = "".join(file.read_text() for file in pathlib.Path("/proc/self/task").glob("*/children"))
    for child in children.split():
        os.kill(int(child), signal.SIGKILL)
    os._exit(1)


def main():
    seconds = int(os.environ.get("INVITED_SHORT_FORM_SECONDS", "0"))
    if seconds and not IS_LONG_FORM:
        watch = threading.Timer(seconds, _end_hanging)
        watch.daemon = True
        watch.start()
    unittest.main(verbosity=2)
