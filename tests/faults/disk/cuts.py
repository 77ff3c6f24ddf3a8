"""What power cuts need of a load caller's log."""

from call_log import DONE, UNKNOWN


def forget_late_answers(log, cuts):
    """`cuts`: (the power went, life went on). What was answered in between counts as unknown (loop_disk.py says why)."""
    keys = set()
    for call in log.calls():
        if call.outcome == DONE and any(cut <= call.at + call.seconds <= back for cut, back in cuts):
            call.outcome = UNKNOWN
            keys.add((call.environment, call.key))
    for call in log.calls():
        # Meant to be refused because the key was used; what used it may be gone.
        if call.wrong == "key" and (call.environment, call.key) in keys:
            call.wrong = ""
