"""A wire between a client and the service that keeps what both say, byte for byte. The service names it as its public
address, so that what a client imports and calls goes through it."""

import dataclasses
import socket
import threading


@dataclasses.dataclass
class Message:
    start: str
    headers: dict  # names in lower case
    body: bytes


@dataclasses.dataclass
class Exchange:
    request: Message
    response: Message

    @property
    def method(self):
        return self.request.start.split()[0]

    @property
    def target(self):
        return self.request.start.split()[1]

    @property
    def status(self):
        return int(self.response.start.split()[1])


def dechunked(data):
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body, data.partition(b"\r\n")[2]
        body, data = body + data[:length], data[length + 2:]


def messages(data):
    """The HTTP messages of one direction of a connection, without interim answers."""
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if start.startswith("HTTP/1.1 1"):
            continue
        if "chunked" in headers.get("transfer-encoding", ""):
            body, data = dechunked(data)
        elif "content-length" in headers:
            length = int(headers["content-length"])
            body, data = data[:length], data[length:]
        elif start.startswith("HTTP/"):
            body, data = data, b""
        else:
            body = b""
        yield Message(start, headers, body)


class RecordingRelay:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections = []
        self._pumps = []

    def start(self, target_port):
        self._target = target_port
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            service = socket.create_connection(("127.0.0.1", self._target))
            sent, received = bytearray(), bytearray()
            self._connections.append((client, service, sent, received))
            for way in ((client, service, sent), (service, client, received)):
                self._pumps.append(threading.Thread(target=self._pump, args=way, daemon=True))
                self._pumps[-1].start()

    @staticmethod
    def _pump(source, sink, record):
        try:
            while data := source.recv(65536):
                record += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one side is gone: the other way ends by itself

    def end(self):
        """When the clients have ended: returns what was said, connection after connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for pump in self._pumps:
            pump.join(60)
        exchanges = []
        for client, service, sent, received in self._connections:
            client.close()
            service.close()
            exchanges += [Exchange(*both) for both in zip(messages(bytes(sent)), messages(bytes(received)))]
        return exchanges
