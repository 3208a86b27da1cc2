#!/usr/bin/env python3
"""Handles messages that are numbers, each a text like 20.3 (a reading, an amount):

    parti run -c telemetry-jetstream.ini -- ./messages.py

Event lines come on standard input, one JSON object a line.  What such a worker must do:
answer each `message` by its number, {"ack":17} when it is done, and answer `revoking`
with {"released": EPOCH}.  All its other output passes through.  The end of standard
input means: stop at once.

A partition's next message comes when the one before is answered, those of other
partitions come meanwhile.  This worker takes one after the other; `children = 4` in
[consume] runs four of them, each with its own partitions.
"""

import json
import sys


def handle(message):
    """Returns when it is done.  ValueError: it never will be.  OSError: not now."""
    value = float(message["data"])
    # In its place: write it somewhere.  Whoever stores it can refuse a token lower than
    # the highest seen for this partition, and a position it has already.
    print("handled", message["partition"], message["position"], message["token"], value)


def answer(word):
    print(json.dumps(word), flush=True)


def main():
    for line in sys.stdin:
        event = json.loads(line)
        if event["event"] == "message":
            try:
                handle(event)
                answer({"ack": event["n"]})
            except (KeyError, ValueError):
                answer({"term": event["n"]})  # to dead_letter; KeyError: it is no text
            except OSError:
                answer({"nak": event["n"]})  # again, after a pause that grows
        elif event["event"] == "revoking":
            # Nothing is under way here: what was given before this line is answered.
            answer({"released": event["epoch"]})
        elif event["event"] == "fenced":
            sys.exit(1)  # everything is lost: what still runs is killed at boot_ns


main()
