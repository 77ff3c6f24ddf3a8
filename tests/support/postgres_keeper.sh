#!/bin/sh
# postgres_keeper.sh FOLDER [NAMESPACE]: sees to it that a throw-away PostgreSQL never outlives its test. It waits until its
# standard input ends, because whoever started it is gone, however that came, and then ends every PostgreSQL whose data
# lies in FOLDER and removes FOLDER and the network namespace.
trap '' INT TERM HUP
cat >/dev/null

# "immediate": the postmaster ends its children and gives its shared memory back.
for pid_file in "$1"/*/postmaster.pid; do
  [ -f "$pid_file" ] || continue
  pid=$(head -n 1 "$pid_file")
  # After kill -9 the number may be somebody else's; and one that is dead, but not yet buried, has no folder.
  works_here() { [ "$(readlink "/proc/$pid/cwd")" = "${pid_file%/*}" ]; }
  works_here || continue
  kill -QUIT "$pid"
  tries=500
  while works_here && [ "$((tries -= 1))" -gt 0 ]; do sleep 0.02; done
done

# Who is left, e.g. stopped by a test or without a postmaster.
for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd") in "$1"/*) kill -KILL "${process#/proc/}" ;; esac
done
for pid_file in "$1"/*/postmaster.pid; do
  [ -f "$pid_file" ] || continue
  segment=$(sed -n '7s/.* //p' "$pid_file")
  [ -z "$segment" ] || ipcrm -m "$segment"
done

[ -z "$2" ] || ip netns delete "$2"
rm -rf "$1"
