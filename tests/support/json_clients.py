"""What the tests of JSON clients share: packages from npm, API tokens, and the lines that the README shows."""

import re
import shutil
import subprocess

import end_to_end


def need_package(name):
    """Ends the script as "not tested" where the package, or Node.js, is missing."""
    if not shutil.which("node"):
        end_to_end.skip("node is not installed (Debian package nodejs)")
    folder = end_to_end.node_modules("interop") / name
    if not folder.is_dir():
        end_to_end.skip(f"the npm package {name} is not installed (./dev test installs it)")
    version = subprocess.run(["node", "-p", f"require('{folder}/package.json').version + ', Node.js ' + process.version"],
                             capture_output=True, text=True, check=True).stdout.strip()
    print(f"{name} {version}")


def link_packages(folder):
    """Modules find packages beside themselves only: NODE_PATH is not for them."""
    (folder / "node_modules").symlink_to(end_to_end.node_modules("interop"))


def add_token(service, *options):
    """An API token of the service's environment and inviter."""
    return service.cli("token", "add", "--environment", service.environment_uuid, "--account", service.inviter_email,
                       *options)["api_token"]


def block_of_readme(first_line):
    """The code block of the project's README that begins with these words: "js invite.mjs"."""
    text = (end_to_end.SOURCE_DIR / "README.md").read_text(encoding="utf-8")
    return re.search(rf"^```{re.escape(first_line)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
