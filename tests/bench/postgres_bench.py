#!/usr/bin/python3
"""How much of PostgreSQL's own speed the store reaches (./dev bench postgres): ratios, on a server of its own, on disk.

  pgbench   the same rows of an invitation (invitation, outbox message, audit event) in one transaction, prepared, with as
            many clients as bring it the most; nothing is read, no rate is counted
  store     Store::write with all that SendInvite reads and counts, one writer connection

The two take turns, so that a machine that is busy with other things is so for both. Nothing is asserted.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import postgres  # noqa: E402

NEW_ID = ("CAST(lpad(to_hex(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)), 12, '0') || '7'"
          " || substr(md5(CAST(random() AS TEXT)), 1, 3) || '8' || substr(md5(CAST(random() AS TEXT)), 1, 15) AS UUID)")
FIXED = "'018f0000-0000-7000-8000-000000000001'"
NOW = 1795163400000

SCRIPT = f"""\\set n random(1, 9000000000000000000)
BEGIN;
INSERT INTO invitation (id, environment_id, role_id, inviter_id, invitee, invitee_key, mailbox, state, generation,
 created_at, sent_at, expires_at, settled_at) VALUES ({NEW_ID}, {FIXED}, {FIXED}, {FIXED}, 'person-' || to_hex(CAST(:n AS BIGINT)) ||
 '@example.com', 'person-' || to_hex(CAST(:n AS BIGINT)) || '@example.com', 'person-' || to_hex(CAST(:n AS BIGINT)) || '@example.com', 'pending', 1,
 {NOW}, {NOW}, {NOW}, NULL);
INSERT INTO outbox_message (id, kind, state, environment_id, invitation_id, account_id, generation, recipient,
 recipient_key, mailbox, language, inviter_name, app_name, app_url, role_name, queued_at, not_before, due_at, expires_at,
 attempts, deaths, claims, finished_at, last_error) VALUES ({NEW_ID}, 'invitation_to_sign_up', 'queued', {FIXED},
 {NEW_ID}, NULL, 1, 'person-' || to_hex(CAST(:n AS BIGINT)) || '@example.com', 'person-' || to_hex(CAST(:n AS BIGINT)) || '@example.com', 'person-' ||
 to_hex(CAST(:n AS BIGINT)) || '@example.com', 'en', 'Ina Viter', 'Orders', 'https://orders.example.com/', 'Planner', {NOW}, {NOW},
 {NOW}, {NOW}, 0, 0, 0, NULL, '');
INSERT INTO audit_event (id, at, actor, action, subject_id, detail) VALUES ({NEW_ID}, {NOW}, 'environment:' || {FIXED},
 'invitation.created', {FIXED}, 'invitee=person-' || to_hex(CAST(:n AS BIGINT)) || '@example.com inviter=inviter@example.com role=' ||
 {FIXED});
COMMIT;
"""


def run_pgbench(server, database, clients, seconds, script):
    output = subprocess.run([postgres.binaries() / "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T",
                             str(seconds), "-f", script, "-h", server.address, "-p", str(server.port), "-U", "invited",
                             database], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", output)[1])


def run_store(program, url, callers, seconds):
    output = subprocess.run([program, "--postgres", url, "--callers", str(callers), "--seconds", str(seconds)],
                            capture_output=True, text=True, check=True).stdout
    print("   " + output.strip(), file=sys.stderr)
    return float(re.search(r"(\d+)/s", output)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parents[1] / "build" / "release")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    postgres.need()
    program = arguments.build / "bench" / "storage_bench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script, postgres.Cluster(parent=tempfile.gettempdir()) as cluster:
        script.write(SCRIPT)
        script.flush()
        pathlib.Path(script.name).chmod(0o644)
        server = cluster.primary
        server.set(max_connections=300, shared_buffers="512MB", max_wal_size="4GB")
        server.restart()
        url = server.create_database("bench")
        run_store(program, url, 1, 1)  # makes the tables
        best = max((16, 64, 128), key=lambda clients: run_pgbench(server, "bench", clients, 3, script.name))
        figures = {"pgbench": [], "store-64": [], "store-256": []}
        for number in range(arguments.rounds):
            server.query("CHECKPOINT")
            figures["pgbench"].append(run_pgbench(server, "bench", best, arguments.seconds, script.name))
            for callers in (64, 256):
                server.query("CHECKPOINT")
                figures[f"store-{callers}"].append(run_store(program, url, callers, arguments.seconds))
            print(f"   round {number + 1} of {arguments.rounds}: {({k: round(v[-1]) for k, v in figures.items()})}",
                  file=sys.stderr)
    median = {name: round(statistics.median(values)) for name, values in figures.items()}
    if arguments.json:
        print(json.dumps({**median, "pgbench_clients": best}))
        return
    print("| what | transactions a second | of pgbench |\n|---|---|---|")
    for name, value in median.items():
        title = f"pgbench, {best} clients" if name == "pgbench" else f"store, {name[6:]} callers"
        print(f"| {title} | {value:,} | {value / median['pgbench']:.2f} |")


if __name__ == "__main__":
    main()
