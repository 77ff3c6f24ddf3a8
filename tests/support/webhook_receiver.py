"""A receiver of webhooks for tests: an HTTP server on a free port of 127.0.0.1 that keeps every delivery as it came and
answers as it is told. Tests wait for deliveries; nothing is polled with sleeps."""

import http.server
import json
import threading


class Delivery:
    def __init__(self, headers, body):
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.event["type"]


class Receiver:
    def __init__(self, status=204):
        self.status = status
        self._deliveries = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._changed:
                    receiver._deliveries.append(Delivery(self.headers, body))
                    status = receiver.status
                    receiver._changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hooks/invited"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def deliveries(self):
        with self._changed:
            return list(self._deliveries)

    def await_count(self, count, timeout=30):
        """The deliveries, once there are so many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._deliveries) >= count, timeout):
                raise AssertionError(f"{len(self._deliveries)} deliveries after {timeout} s, {count} were expected: "
                                     f"{[one.type for one in self._deliveries]}")
            return list(self._deliveries)

    def await_types(self, *types, timeout=30):
        """One delivery for each of these event types, once all of them are there."""
        def found():
            return {one.type: one for one in self._deliveries}
        with self._changed:
            if not self._changed.wait_for(lambda: set(types) <= set(found()), timeout):
                raise AssertionError(f"only {sorted(found())} after {timeout} s; expected {sorted(types)}")
            return [found()[name] for name in types]
