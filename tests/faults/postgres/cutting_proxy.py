"""Stands between `invited` and PostgreSQL and cuts the connection at an exact place: when COMMIT has left and not
arrived, or when it is done and the answer has not arrived. Knows just enough of the protocol for that."""

import socket
import struct
import threading

BEFORE_COMMIT, AFTER_COMMIT = "COMMIT does not arrive", "COMMIT's answer does not arrive"
COMMITTED = b"C" + struct.pack("!I", 11) + b"COMMIT\0"


class CuttingProxy:
    def __init__(self, server):
        self._to = (server.address, server.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address, self.port = self._listener.getsockname()
        self._cut_at = None
        self._silently = False
        self._changed = threading.Condition()
        self._sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_once(self, place, silently=False):
        """Silently: neither end is told, as where a machine between them or `invited`'s own has died."""
        with self._changed:
            self._cut_at, self._silently = place, silently

    def await_cut(self, timeout=20):
        with self._changed:
            assert self._changed.wait_for(lambda: self._cut_at is None, timeout), "no COMMIT came by"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        with self._changed:
            for one in self._sockets:
                one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
            except OSError:
                return
            with self._changed:
                self._sockets |= {client, server}
            names = set()  # of prepared COMMITs
            for source, target, sees in ((client, server, lambda data, names=names: self._sees_commit(data, names)),
                                         (server, client, self._sees_committed)):
                threading.Thread(target=self._forward, args=(source, target, sees), daemon=True).start()

    def _forward(self, source, target, is_place):
        try:
            while data := source.recv(65536):
                if is_place(data):
                    if self._silently:
                        return
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _take(self, place):
        with self._changed:
            if self._cut_at != place:
                return False
            self._cut_at = None
            self._changed.notify_all()
            return True

    def _sees_commit(self, data, names):
        """`invited` sends COMMIT as a prepared statement, by itself: Parse once, then Bind."""
        parsed = data.find(b"\0COMMIT\0")
        if parsed > 0 and data[:1] == b"P":
            names.add(data[5:parsed])
        bound = any(b"\0" + name + b"\0" in data for name in names)
        return bound and self._take(BEFORE_COMMIT)

    def _sees_committed(self, data):
        return COMMITTED in data and self._take(AFTER_COMMIT)
