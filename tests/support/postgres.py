"""Throw-away PostgreSQL for end-to-end tests, from Debian's server binaries and never the machine's own cluster: servers
in one temporary folder, with standbys, in network namespaces where they are to be cut off. They are gone with everything
of theirs when the test ends, however it ends (postgres_keeper.sh). As root they run as an unprivileged user.

    with postgres.Cluster() as cluster:
        standby = cluster.standby(synchronous=True)
        url = postgres.url("invited", cluster.primary, standby)

As a program (`postgres.py FILE`) it starts one for a whole CTest run: it ends with whoever called it, and FILE says where
it is (the C++ tests' PostgresDatabase reads it).
"""

import glob
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse

import end_to_end
from invited_service import free_port, wait_until

KEEPER = pathlib.Path(__file__).resolve().parent / "postgres_keeper.sh"
DATABASE = "invited"


def binaries():
    """The newest installed server's programs, or None."""
    found = [pathlib.Path(path).parent for path in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    return max(found, key=lambda folder: int(folder.parent.name)) if found else None


def need():
    """Ends the script, loudly, where PostgreSQL's server is not installed."""
    if not binaries():
        end_to_end.skip("PostgreSQL's server is not installed: no /usr/lib/postgresql/*/bin/initdb "
                        "(apt-get install postgresql)")


def folder_in_memory():
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


def _server_user():
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


class Failed(AssertionError):
    """A program of PostgreSQL's that failed, with what it said."""


def _run(command, timeout=90):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=timeout, check=False)
    if result.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def url(database, *servers, **parameters):
    """The connection string of the role `invited`; with several servers it names them all and asks for the one that can
    be written to."""
    hosts = ",".join(f"{server.address}:{server.port}" for server in servers)
    if len(servers) > 1:
        parameters = {"target_session_attrs": "read-write", **parameters}
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    return f"postgresql://invited@{hosts}/{database}{query}"


class Namespace:
    """A network namespace with one link to ours, through which everything can be made to vanish. Needs root."""

    @staticmethod
    def why_not():
        if os.geteuid() != 0:
            return "network namespaces need root"
        missing = [program for program in ("ip", "iptables") if not shutil.which(program)]
        if missing:
            return f"{' and '.join(missing)} not installed (apt-get install iproute2 iptables)"
        try:
            with Namespace() as probe:
                probe.black_hole()
        except Failed as failure:
            return f"no network namespaces here: {failure}"
        return None

    def __init__(self):
        self.name = f"invited-{secrets.token_hex(3)}"
        # From the middle of 10/8, where a clash is least likely.
        self._prefix = f"10.{secrets.randbelow(50) + 150}.{secrets.randbelow(256)}"
        self.address = f"{self._prefix}.2"
        outside, inside = f"v{self.name[8:]}o", f"v{self.name[8:]}i"
        _run(["ip", "netns", "add", self.name])
        try:
            _run(["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.name])
            _run(["ip", "address", "add", f"{self._prefix}.1/30", "dev", outside])
            _run(["ip", "link", "set", outside, "up"])
            self.run(["ip", "address", "add", f"{self.address}/30", "dev", inside])
            self.run(["ip", "link", "set", inside, "up"])
            self.run(["ip", "link", "set", "lo", "up"])
        except Failed:
            self.remove()
            raise
        self._inside = inside

    def network(self):
        return f"{self._prefix}.0/30"

    def command(self, command):
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, command):
        return _run(self.command(command))

    def black_hole(self):
        """From now on nothing arrives and nothing is refused."""
        self.run(["iptables", "-I", "INPUT", "-i", self._inside, "-j", "DROP"])
        self.run(["iptables", "-I", "OUTPUT", "-o", self._inside, "-j", "DROP"])

    def heal(self):
        self.run(["iptables", "-F"])

    def remove(self):
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Server:
    """One data folder and, while it runs, its processes."""

    def __init__(self, folder, name, namespace=None):
        self.folder = folder
        self.name = name
        self.data = folder / name
        self.namespace = namespace
        self.address = namespace.address if namespace else "127.0.0.1"
        self.port = 0
        self._paused = 0
        self._killed = 0
        self._log = folder / f"{name}.log"

    def _command(self, program, *arguments):
        user = _server_user()
        command = [str(binaries() / program), *map(str, arguments)]
        if user:
            command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *command]
        return self.namespace.command(command) if self.namespace else command

    def _control(self, action, *arguments):
        try:
            _run(self._command("pg_ctl", "--silent", "--wait", "--timeout=60", f"--pgdata={self.data}",
                               f"--log={self._log}", *arguments, action))
        except Failed as failure:
            raise Failed(f"{failure}\n{self.log()[-2000:]}") from None

    # --- making one -----------------------------------------------------------------------------------------

    def _initialise(self):
        _run(self._command("initdb", "--no-sync", "--no-instructions", "--auth=trust", "--username=postgres",
                           "--locale=C", "--encoding=UTF8", f"--pgdata={self.data}"))
        if self.namespace:
            with open(self.data / "pg_hba.conf", "a", encoding="utf-8") as file:
                file.write(f"host all all {self.namespace.network()} trust\n")
        # Nothing of it outside the folder, and cheap to have many of.
        self.set(unix_socket_directories=self.folder, listen_addresses=self.address, dynamic_shared_memory_type="mmap",
                 shared_buffers="32MB", max_connections=200, wal_keep_size="1GB", log_min_messages="warning")

    def _copy_of(self, primary):
        _run(self._command("pg_basebackup", "--checkpoint=fast", "--no-sync", "--wal-method=stream",
                           f"--host={primary.folder}", f"--port={primary.port}", "--username=postgres",
                           f"--pgdata={self.data}"))
        self.set(listen_addresses=self.address)
        self.become_standby(primary)

    def become_standby(self, primary=None):
        """From the next start on; without a primary it has nobody to follow, and waits."""
        file = self.data / "standby.signal"
        file.touch()
        if _server_user():
            os.chown(file, _server_user().pw_uid, _server_user().pw_gid)
        following = f"host={primary.folder} port={primary.port} user=postgres application_name={self.name}" if primary else ""
        self.set(primary_conninfo=following, wal_retrieve_retry_interval="100ms")

    def _first_start(self):
        for attempt in range(5):
            self.port = free_port()
            self.set(port=self.port)
            try:
                return self.start()
            except Failed:
                if attempt == 4 or "Address already in use" not in self.log():
                    raise  # otherwise somebody was faster

    # --- running it -----------------------------------------------------------------------------------------

    def start(self):
        """Returns when it accepts connections."""
        # It would take a postmaster that is dead, but not yet buried by init, for a living one.
        wait_until(lambda: not self._killed or not os.path.exists(f"/proc/{self._killed}"), 10, "the killed one's burial")
        self._killed = 0
        self._control("start")

    def stop(self, mode="fast"):
        self._control("stop", f"--mode={mode}")

    def restart(self, mode="fast"):
        self._control("restart", f"--mode={mode}")

    def reload(self):
        self._control("reload")

    def promote(self):
        """Returns when it can be written to."""
        if self._paused:
            # It has to end, and must not take what waits in its socket first.
            os.kill(self._paused, signal.SIGTERM)
            os.kill(self._paused, signal.SIGCONT)
            self._paused = 0
        self._control("promote")

    def set(self, **settings):
        """Written to postgresql.conf; in force after reload() or restart(), as PostgreSQL has it."""
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def processes(self):
        """All of its processes: each works in the data folder. The postmaster is the first."""
        def lives_here(pid):
            try:
                return os.readlink(f"/proc/{pid}/cwd") == str(self.data)
            except OSError:
                return False
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and lives_here(name)]
        return sorted(pids, key=lambda pid: (pid != self._postmaster(), pid))

    def _postmaster(self):
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return 0

    def kill(self):
        """kill -9, postmaster first; returns when none is left."""
        self._killed = self._postmaster()

        def all_dead():
            pids = self.processes()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not pids
        wait_until(all_dead, 10, "the end of PostgreSQL after kill -9")

    def freeze(self):
        """SIGSTOP for all of it: connections are taken, nothing is answered, until thaw()."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, which):
        for pid in self.processes():
            try:
                os.kill(pid, which)
            except ProcessLookupError:
                pass

    def pause_walreceiver(self):
        """SIGSTOP: connected, and takes nothing more, until resume_walreceiver() or promote()."""
        self._paused = int(self.value("SELECT pid FROM pg_stat_wal_receiver", "postgres"))
        os.kill(self._paused, signal.SIGSTOP)

    def resume_walreceiver(self):
        os.kill(self._paused, signal.SIGCONT)
        self._paused = 0

    def log(self, since_start=False):
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text[text.rfind("starting PostgreSQL"):] if since_start else text

    # --- talking to it --------------------------------------------------------------------------------------

    def _psql(self, database, *arguments):
        # From our own network: the socket's file is reached from everywhere.
        return [str(binaries() / "psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                "--field-separator=\t", "--set=ON_ERROR_STOP=1", f"--host={self.folder}", f"--port={self.port}",
                "--username=postgres", f"--dbname={database}", *arguments]

    def query(self, sql, database="postgres", timeout=60):
        """As the superuser: rows of texts, NULL as the empty one."""
        return [line.split("\t") for line in _run(self._psql(database, f"--command={sql}"), timeout).splitlines()]

    def value(self, sql, database=DATABASE):
        [[value]] = self.query(sql, database)
        return value

    def session(self, database=DATABASE):
        return Session(self._psql(database))

    def create_database(self, name=DATABASE):
        """Empty, and owned by the role `invited`, which is no superuser."""
        if not self.query("SELECT 1 FROM pg_roles WHERE rolname = 'invited'"):
            self.query("CREATE ROLE invited LOGIN")
        self.query(f"CREATE DATABASE {name} OWNER invited")
        return url(name, self)

    def create_fresh_database(self):
        return self.create_database(f"fresh_{secrets.token_hex(4)}")

    def admin_url(self, database="postgres"):
        return f"postgresql://postgres@/{database}?host={urllib.parse.quote(str(self.folder), safe='')}&port={self.port}"

    def await_standby(self, name, state, timeout=30):
        """Until pg_stat_replication calls the standby "sync", "async", …"""
        wait_until(lambda: [state] in self.query(
            f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{name}' AND state = 'streaming'"),
            timeout, f"standby {name} as {state}")


class Session:
    """A psql that stays: for transactions that a test holds open."""

    def __init__(self, command):
        self._psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True, bufsize=1)

    def run(self, sql):
        """Returns the lines that it printed, when it is done."""
        self._psql.stdin.write(f"{sql};\n\\echo :done:\n")
        self._psql.stdin.flush()
        lines = []
        for line in self._psql.stdout:
            if line == ":done:\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise Failed(f"{sql}: {lines}")

    def close(self):
        self._psql.stdin.close()
        self._psql.wait(20)
        self._psql.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Cluster:
    """A primary with a database for `invited`, and its standbys. Use as a context manager."""

    def __init__(self, settings=None, namespace=None, parent=None, owner=None):
        """`parent`: where its folder is made, usually in memory. `owner`: a process that it ends with, instead of us."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="invited-postgres-", dir=parent or folder_in_memory()))
        user = _server_user()
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._keeper = self._start_keeper(namespace, owner)
        self.servers = []
        try:
            self.primary = Server(self.folder, "primary", namespace)
            self.servers.append(self.primary)
            self.primary._initialise()
            self.primary.set(**(settings or {}))
            self.primary._first_start()
            self.url = self.primary.create_database()
        except BaseException:
            self.close()
            raise

    def _start_keeper(self, namespace, owner):
        ending, writer = os.pipe()
        # Nobody's child: CTest kills a test's whole family.
        subprocess.run(["setsid", "--fork", "sh", str(KEEPER), str(self.folder), namespace.name if namespace else ""],
                       stdin=ending, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        os.close(ending)
        if owner:
            subprocess.run(["setsid", "--fork", "tail", f"--pid={owner}", "--sleep-interval=0.2", "-f", "/dev/null"], stdin=subprocess.DEVNULL,
                           stdout=writer, stderr=subprocess.DEVNULL, check=True)
        return writer

    def standby(self, name="standby", synchronous=True, namespace=None):
        """A streaming standby of the primary, ready for reading. Synchronous: each commit waits for it from now on."""
        standby = Server(self.folder, name, namespace)
        self.servers.append(standby)
        standby._copy_of(self.primary)
        standby._first_start()
        if synchronous:
            self.primary.set(synchronous_standby_names=name)
            self.primary.reload()
        self.primary.await_standby(name, "sync" if synchronous else "async")
        return standby

    def close(self):
        """All of them are ended and removed, by the keeper."""
        os.close(self._keeper)
        wait_until(lambda: not self.folder.exists(), 30, f"the end of {self.folder}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            for server in self.servers:
                print(f"--- the end of the log of PostgreSQL's {server.name}:\n{server.log()[-3000:]}", file=sys.stderr)
        self.close()


if __name__ == "__main__":
    need()
    for_all = Cluster(owner=os.getppid())
    pathlib.Path(sys.argv[1]).write_text(for_all.primary.admin_url() + "\n", encoding="utf-8")
