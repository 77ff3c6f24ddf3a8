"""Deployment (tests/faults/load) on PostgreSQL: a cluster with or without standbys, and several instances on it."""

import pathlib
import sys
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "faults" / "load")]

import postgres
from call_log import DONE
from deployment import Deployment
from invited_service import Service, wait_until
from stored import PostgresDatabase

# What callers are told while the database is away: code and seconds after which to come again.
UNAVAILABLE = ("unavailable", 1)


class PostgresDeployment(Deployment):
    """The cluster is the caller's. `servers`: those named in the connection string, the primary first."""

    def __init__(self, servers, instances=1, settings=None, parameters=None):
        self.server = servers[0]   # the primary of the day
        self.url = postgres.url(postgres.DATABASE, *servers, **(parameters or {}))
        self.instances = instances
        super().__init__(settings)

    def start_services(self, settings):
        # A short lease: what a dead instance has claimed, another takes over.
        first = Service.serve({"database": self.url, "mail.lease": "5s", **settings})
        self.services.append(first)
        for _ in range(self.instances - 1):
            self.services.append(first.beside())
            self.services[-1].start()

    def database(self):
        return PostgresDatabase(self.server.admin_url(postgres.DATABASE))

    def database_fault(self):
        """Each mail under way may be lost to us, though it left."""
        self.faults += len(self.services)

    def await_done(self, since, timeout=30):
        """Until a call that began after `since` (time.time()) was done: the seconds from then until its answer."""
        def first():
            return [call.at + call.seconds - since for call in self.log.calls()
                    if call.at > since and call.outcome == DONE]
        return min(wait_until(first, timeout, "a call that is done"))

    def longest_call(self):
        return max(call.seconds for call in self.log.calls())


def at_once(*functions):
    """Runs them in threads that begin at the same moment; their results in order."""
    barrier = threading.Barrier(len(functions))
    results = [None] * len(functions)

    def run(index):
        barrier.wait()
        try:
            results[index] = functions[index]()
        except Exception as failure:  # told to the caller, who compares
            results[index] = failure

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def ready_status(service):
    return service.request("GET", "/readyz").status


def timed(function):
    began = time.monotonic()
    result = function()
    return result, time.monotonic() - began
