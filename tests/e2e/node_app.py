"""The app of refresh_app.js as a Python object: starts it, gives it orders, waits for what it was told."""

import json
import os
import shutil
import subprocess
import threading
import time

from lxml import etree

import end_to_end
from invited_service import free_port

HERE = end_to_end.SOURCE_DIR / "tests" / "e2e"
WSDL = (end_to_end.SOURCE_DIR / "wsdl" / "RefreshAPI.wsdl").read_text(encoding="utf-8")
NAMESPACE = "http://home.mendix.com/"
OLD_NAMESPACE = "http://www.example.com"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


def need_node():
    """What running the app needs; without it the script ends, loudly."""
    modules = end_to_end.node_modules("interop")
    return shutil.which("node") or end_to_end.skip("node is not installed"), modules


class NodeApp:
    """Offers RefreshAPI in `namespace`, and is pointed at `service` as an app is: by locations, UUID and password."""

    def __init__(self, service, namespace=NAMESPACE, environment=None, password=None):
        node, modules = need_node()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/ws/RefreshAPI"
        self.namespace = namespace
        self.wsdl = WSDL.replace("https://app.invalid/ws/RefreshAPI", self.url).replace(
            f'"{NAMESPACE}"', f'"{namespace}"').replace(
            f'"{NAMESPACE}RefreshUserPermissions"', f'"{namespace.rstrip("/")}/RefreshUserPermissions"')
        self._changed = threading.Condition()
        self._answers, self.told, self._ended = [], [], False
        self._errors = []
        self.child = subprocess.Popen([node, str(HERE / "refresh_app.js")], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env={**os.environ, "NODE_PATH": str(modules)})
        self._readers = [threading.Thread(target=self._read, daemon=True),
                         threading.Thread(target=lambda: self._errors.extend(self.child.stderr), daemon=True)]
        for reader in self._readers:
            reader.start()
        base = service.base_url.rstrip("/")
        self.order({"wsdl": self.wsdl, "port": self.port, "permissions": f"{base}/ws/PermissionsAPI/1/soap1?wsdl",
                    "profile": f"{base}/ws/ProfileService/3/soap1?wsdl",
                    "displayName": f"{base}/ws/ProfileService/1/soap1?wsdl",
                    "environment": environment or service.environment_uuid,
                    "password": password or service.environment_password})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        for reader in self._readers:
            reader.join()
        self.child.stdout.close()
        self.child.stderr.close()

    def _read(self):
        for line in self.child.stdout:
            message = json.loads(line)
            with self._changed:
                (self.told if "told" in message else self._answers).append(message)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await(self, messages, number, what, timeout=30):
        end = time.monotonic() + timeout
        with self._changed:
            while len(messages) < number:
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"the app did not come to {what}: {''.join(self._errors)}")
                self._changed.wait(left)
            return messages[number - 1]

    def order(self, message):
        """One order, and its answer."""
        number = len(self._answers) + 1
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()
        return self._await(self._answers, number, f"answer {message}")

    def ask(self, operation, openid):
        return self.order({"call": operation, "openid": openid})

    def await_told(self, number):
        """What the app was told for the number-th time (from 1), once it has asked for the roles."""
        return self._await(self.told, number, f"be told for time {number}")

    def schema_problem(self, told):
        """What the schema of the app's WSDL says against the message that it got; nothing where it fits."""
        definitions = etree.fromstring(self.wsdl.encode("utf-8"))
        schema = etree.XMLSchema(definitions.find(".//{http://www.w3.org/2001/XMLSchema}schema"))
        body = etree.fromstring(told["raw"].encode("utf-8")).find(f"{SOAP}Body")
        return None if len(body) == 1 and schema.validate(body[0]) else str(schema.error_log) or "not one element"


def names(told):
    """The names of the roles that the person has in the app now."""
    return sorted(role["DisplayName"] for role in told["roles"])
