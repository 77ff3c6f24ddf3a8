"""The program's commands as an operator calls them, and a start that is refused."""

import os
import subprocess

from invited_service import binary


def run(service, *arguments, failpoint=None, environment=None):
    """The finished command; it may have failed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INVITED_")}
    if failpoint:
        clean["INVITED_FAILPOINT"] = failpoint
    clean |= environment or {}
    return subprocess.run([binary(), *arguments, "--config", str(service.config_file)], capture_output=True, text=True,
                          timeout=120, env=clean, check=False)


def refused_start(service, *arguments):
    """What the service says when it will not start; it must say something, and end."""
    service.launch(arguments=arguments)
    status = service.process.wait()
    assert status == 1, f"exit status {status}: {service.process.log_text()}"
    return service.process.log_text()
