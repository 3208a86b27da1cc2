#!/usr/bin/env python3
"""A worker in Python:  parti run -c orders.ini -- ./worker.py

Event lines come on standard input, one JSON object a line.  What a worker must do: start
on what `assigned` lists, stop on what `revoking` lists, and say so with
{"released": EPOCH} on standard output when it has stopped.  All its other output passes
through.  The end of standard input means: stop at once.

Here each partition gets a thread, which stands for real work.
"""

import json
import os
import sys
import threading


class Work(threading.Thread):
    """Works on one partition until told to stop."""

    def __init__(self, partition):
        super().__init__(daemon=True)
        self.id = partition["id"]
        # Percent-decoded, "keys" are the exact bytes that the source listed.
        self.keys = partition["keys"]
        # On all that is written: whoever stores it can refuse a token lower than the
        # highest seen.  Tokens compare as two integers.
        self.token = tuple(int(part) for part in partition["token"].split("-"))
        self.stopping = threading.Event()

    def run(self):
        say(f"begin {self.id} with token {self.token[0]}-{self.token[1]}")
        while not self.stopping.wait(timeout=0.1):
            pass  # in its place: handle the next piece of work, if there is one
        say(f"end {self.id}")


output = threading.Lock()


def say(text):
    with output:
        print(text, flush=True)


def main():
    held = {}
    for line in sys.stdin:
        event = json.loads(line)
        if event["event"] == "assigned":
            for partition in event["partitions"]:
                held[partition["id"]] = Work(partition)
                held[partition["id"]].start()
        elif event["event"] == "revoking":
            works = [held.pop(p["id"]) for p in event["partitions"] if p["id"] in held]
            for work in works:
                work.stopping.set()
            for work in works:
                work.join()  # only when it has ended has it stopped
            say(json.dumps({"released": event["epoch"]}))
        elif event["event"] == "fenced":
            # Everything is lost: what still runs is killed at the line's boot_ns.
            os._exit(1)


main()
