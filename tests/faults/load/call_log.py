"""Each call of the load caller with its answer. There are three answers, as there are for a real caller: done, refused
(nothing was stored), unknown (it was said to be unknown, or the connection was lost after the call had left)."""

import collections
import dataclasses
import json
import threading

DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"


@dataclasses.dataclass
class Call:
    environment: str        # UUIDs
    role: str
    invitee: str            # as it was written in the call
    inviter: str
    key: str = ""           # Idempotency-Key
    wrong: str = ""         # what is wrong with it on purpose; a service in order refuses it
    at: float = 0.0
    seconds: float = 0.0    # how long the answer took
    outcome: str = ""
    code: str = ""          # of the fault, or how the connection was lost

    @property
    def intention(self):
        """Calls for one person and environment ask for one invitation, however often they are made."""
        return self.environment, self.invitee.lower()


class CallLog:
    """Also written to a file, line by line, for whoever looks into a failure. Thread-safe."""

    def __init__(self, file=None):
        self._calls = []
        self._changed = threading.Condition()
        self._file = open(file, "a", encoding="utf-8") if file else None

    def add(self, call):
        with self._changed:
            self._calls.append(call)
            if self._file:
                self._file.write(json.dumps(dataclasses.asdict(call)) + "\n")
            self._changed.notify_all()

    def calls(self):
        with self._changed:
            return list(self._calls)

    def count(self, outcome=None):
        with self._changed:
            return sum(1 for call in self._calls if outcome in (None, call.outcome))

    def await_more(self, more, timeout=60):
        """Until so many more calls were answered than now."""
        with self._changed:
            goal = len(self._calls) + more
            assert self._changed.wait_for(lambda: len(self._calls) >= goal, timeout), \
                f"only {len(self._calls) - goal + more} of {more} calls were answered within {timeout} s"

    def summary(self):
        codes = collections.Counter(f"{call.outcome} ({call.code})" if call.code else call.outcome
                                    for call in self.calls())
        return ", ".join(f"{count} {name}" for name, count in sorted(codes.items()))

    def close(self):
        if self._file:
            self._file.close()
            self._file = None
