"""What power cuts need of the logs, the load caller's and the service's."""

import datetime

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


def late_records(log, began):
    """How many mails were recorded after the power went: as with late answers, the record may be gone, and the mail be sent
    again beside the one that every cut may repeat."""
    moment = datetime.datetime.fromtimestamp(began, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return sum(1 for line in log.splitlines() if " mail.sent " in line and line[:len(moment)] >= moment)
