"""How long a partition's messages wait when it changes hands, under a steady load.

    handover.py --flow PROGRAM --parti PROGRAM --plugins DIR [--server PROGRAM] [options]

Four workers over libparti read every partition of a stream while a publisher goes on at a
fixed rate; in turn a worker leaves in order (SIGTERM) and another joins.  With --crashes
a worker is killed now and then, which is reported apart: there a lease has to end.

A move is a pair of messages of one partition, one behind the other, that two workers have
handled.  Its GAP is what a message waited because nobody handled it:

    begin of the first handling by the new worker
      - max(end of the last handling by the old one, time that message was published)

and it counts only where that message was there before the new worker could have taken it
(published before its first request for messages of that partition reached the server); a
message that comes later waits for nothing, and the others would look better by it.  The
handler does next to nothing.  All times are CLOCK_BOOTTIME of one machine.

Where the time goes is read from the same clock by a connection that listens to what the
workers ask the server for.  Last line: JSON.  Exit status 0 only if the ledger is clean.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow import PLACES, Board, Rig, end, say, wait  # noqa: E402
from group import Failure, boot_ns, percentile  # noqa: E402

GROUP = "move"
TIMING = (
    "cold_start_window = 1 s\nplanned_scale_window = 500 ms\nmin_rebalance_interval = 500 ms\n"
)
LOOK_S = 0.05  # the bench itself must not take the time that it measures
STEPS = [
    ("told", "the new head to the old worker's last handling"),
    ("record", "to its last record's write"),
    ("release", "to its release"),
    ("head", "to the leader's next head"),
    ("grant", "to the new worker's grant"),
    ("read", "to its reading of the record"),
    ("claim", "to its claim's write"),
    ("reader", "to its request for a reader"),
    ("pull", "to its request for messages"),
    ("first", "to the first message's handling"),
]


class Hand:
    """A worker and the trace that it writes."""

    def __init__(self, rig, board, ini, index, name):
        self.name = name
        self.index = index
        self.path = os.path.join(rig.folder, f"trace-{name}")
        open(self.path, "w").close()
        self.file = open(self.path, encoding="utf-8")
        self.part = ""
        self.held = set()
        self.messages = []  # (part, number, published, begin, end)
        self.events = []  # (what, part, ns)
        self.board = board
        self.killed_ns = None
        self.process = rig.flow("worker", ini, board.path, index, self.path)

    def take(self):
        *lines, self.part = (self.part + self.file.read()).split("\n")
        for line in lines:
            what, *words = line.split()
            if what == "m":
                self.messages.append(tuple(map(int, words)))
                continue
            part = int(words[0].rsplit("/", 1)[1])
            self.events.append((what, part, int(words[1])))
            if what == "a":
                self.held.add(part)
            elif what == "r":
                self.held.discard(part)

    def is_stable(self):
        return self.board.place(self.index)[4] == 1


class Crew:
    """The workers that live, those that have left, and who holds what."""

    def __init__(self, rig, board):
        self.rig = rig
        self.board = board
        self.ini = rig.ini(GROUP, TIMING)
        self.living = []
        self.gone = []
        self.names = 0

    def join(self):
        used = {h.index for h in self.living}
        index = next(i for i in range(PLACES - 1) if i not in used)
        self.names += 1
        self.living.append(Hand(self.rig, self.board, self.ini, index, f"w{self.names}"))

    def leave(self, crash):
        hand = self.living.pop(0)
        self.gone.append(hand)
        if crash:
            hand.killed_ns = boot_ns()
        end([hand.process], signal.SIGKILL if crash else signal.SIGTERM)
        hand.take()

    def settled(self):
        for h in self.living:
            h.take()
        held = [p for h in self.living for p in h.held]
        return (
            len(held) == len(set(held)) == self.rig.args.partitions
            and all(h.is_stable() and h.held for h in self.living)
        )

    def wait(self, others):
        processes = [h.process for h in self.living] + others
        wait("every partition is held once", self.settled, processes, 60, LOOK_S)

    def all(self):
        return self.living + self.gone


def seen(path):
    """What the spy saw: for each partition the requests about it, and the heads."""
    by_part, heads = {}, []
    with open(path, encoding="utf-8") as f:
        for line in f:
            ns, subject, *data = line.rstrip("\n").split(" ", 2)
            ns, data = int(ns), data[0] if data else ""
            if subject == f"$KV.parti_{GROUP}.head":
                heads.append(ns)
                continue
            if subject.startswith("$KV.parti_pos_"):
                what, part = "write", subject.rsplit(".", 1)[1]
            elif ".MSG.GET.KV_parti_pos_" in subject:
                what, part = "read", data.rsplit(".", 1)[1].split('"')[0]
            elif ".CONSUMER.CREATE." in subject:
                what, part = "reader", subject.rsplit(".", 1)[1]
                name = subject.split(".")[5]
                by_part[name] = part
            elif ".MSG.NEXT." in subject:
                what, part = "pull", by_part.get(subject.rsplit(".", 1)[1])
            else:
                continue
            if part is not None and part != ">":  # that one reads the whole stream
                by_part.setdefault(int(part), []).append((ns, what, data))
    return by_part, heads


def first(rows, what, since, until):
    return next((ns for ns, w, *_ in rows if w == what and since <= ns <= until), None)


def last(rows, what, since, until):
    found = [ns for ns, w, *_ in rows if w == what and since <= ns <= until]
    return found[-1] if found else None


def steps_of(old, new, o_end, n_begin, asked, heads):
    """The instants of a move, in the order of STEPS, with its beginning; None: not found."""
    told = last(old, "v", 0, n_begin)
    released = last(old, "r", told or 0, n_begin)
    granted = last(new, "a", 0, n_begin)
    if None in (told, released, granted):
        return None
    record = last(asked, "write", told, released)
    head = max((ns for ns in heads if ns <= granted), default=None)
    read = first(asked, "read", granted, n_begin)
    claim = first(asked, "write", granted, n_begin)
    reader = first(asked, "reader", granted, n_begin)
    pull = first(asked, "pull", granted, n_begin)
    at = [told, max(told, o_end), record, released, head]
    at += [granted, read, claim, reader, pull, n_begin]
    return None if None in at else at


class Ledger:
    """All that was handled, partition by partition; its moves."""

    def __init__(self, crew, published):
        self.crew = crew
        self.faults = 0
        self.moves = []  # (part, old hand, new hand, message before, message after)
        self.repeats = 0
        rows = {}
        for hand in crew.all():
            for m in hand.messages:
                rows.setdefault(m[0], []).append((m[3], m, hand))
        self.handled = 0
        for part, of_part in rows.items():
            of_part.sort(key=lambda r: r[0])
            self._walk(part, of_part)
        if self.handled != published:
            self.faults += abs(published - self.handled)

    def _walk(self, part, rows):
        due, top = 0, 0
        before = None
        for _, m, hand in rows:
            if before and before[1] is not hand:
                self.moves.append((part, before[1], hand, before[0], m))
            if before and m[3] < before[0][4]:
                self.faults += 1  # two at a time
            is_after_kill = before and before[1] is not hand and before[1].killed_ns
            if m[1] != due and not (m[1] < due and is_after_kill):
                self.faults += 1
            if m[1] < top:
                self.repeats += 1  # what the killed one had not recorded
            else:
                self.handled += 1
            due = m[1] + 1
            top = max(top, due)
            before = (m, hand)


def summary(ns):
    ms = [n / 1e6 for n in ns]
    if not ms:
        return {"n": 0}
    return {
        "n": len(ms),
        "p50_ms": round(percentile(ms, 50), 1),
        "p99_ms": round(percentile(ms, 99), 1),
        "max_ms": round(max(ms), 1),
    }


def judge(ledger, spied, heads):
    """Gaps of orderly moves and of crashes, all moves, and the steps of the orderly."""
    gaps, crashed, idle, outages, steps = [], [], 0, [], {name: [] for name, _ in STEPS}
    events = {h: {} for h in ledger.crew.all()}
    for h, of_hand in events.items():
        for what, part, ns in h.events:
            of_hand.setdefault(part, []).append((ns, what))
    for part, old, new, m_old, m_new in ledger.moves:
        gap = m_new[3] - max(m_old[4], m_new[2])
        if old.killed_ns:
            crashed.append(gap)
            continue
        at = steps_of(
            events[old].get(part, []),
            events[new].get(part, []),
            m_old[4],
            m_new[3],
            spied.get(part, []),
            heads,
        )
        if at is None or m_new[2] > at[-2]:
            idle += 1
            continue
        gaps.append(gap)
        outages.append(at[-1] - at[1])
        for i, (name, _) in enumerate(STEPS):
            steps[name].append(at[i + 1] - at[i])
    return gaps, crashed, idle, outages, steps


def play(args, rig, board, crew, others):
    """The changes, one after the other; every one waits for the one before."""
    for _ in range(args.workers):
        crew.join()
    crew.wait(others)
    begun = time.monotonic()
    for i in range(args.changes + args.crashes):
        crash = i >= args.changes
        if crash or i % 2 == 0:
            crew.leave(crash)
            crew.wait(others)
        else:
            crew.join()
            crew.wait(others)
        if crash:
            crew.join()
            crew.wait(others)
    say(f"  {args.changes} changes in {time.monotonic() - begun:.1f} s")
    board.go(2)
    published = int(others[0].communicate(timeout=20)[0])
    others[1].wait(20)
    wait("all is handled", lambda: board.reached() >= published, [], 20)
    end([h.process for h in crew.living])
    for h in crew.all():
        h.take()
    return published


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flow", required=True)
    parser.add_argument("--parti", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--server", default="nats-server")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--partitions", type=int, default=200)
    parser.add_argument("--rate", type=int, default=2000, help="messages a second, all told")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--crashes", type=int, default=0)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--storage", default="file")
    parser.add_argument("--consume", action="append", default=[], help="a line of [consume]")
    args = parser.parse_args()
    args.groups, args.in_flight, args.broker = 1, 64, "nats"
    keys = ("workers", "partitions", "rate", "changes", "crashes")
    result = {"target": "bench-handover", "broker": "nats"}
    result.update({k: getattr(args, k) for k in keys})
    with tempfile.TemporaryDirectory(prefix="parti-move-") as folder:
        rig = Rig(args, folder)
        board = Board(os.path.join(folder, "board"), args.partitions)
        crew = Crew(rig, board)
        others = []
        try:
            rig.fill(0)
            url, spied = rig.server.url, os.path.join(folder, "spied")
            load = [url, board.path, args.partitions, 1, args.rate, args.size]
            wanted = [
                f"$KV.parti_pos_{GROUP}.>",
                f"$KV.parti_{GROUP}.head",
                f"$JS.API.STREAM.MSG.GET.KV_parti_pos_{GROUP}",
                "$JS.API.CONSUMER.CREATE.FLOW.>",
                "$JS.API.CONSUMER.MSG.NEXT.FLOW.>",
            ]
            others = [
                rig.flow("load", *load, stdout=-1),
                rig.flow("spy", url, board.path, spied, *wanted),
            ]
            published = play(args, rig, board, crew, others)
            ledger = Ledger(crew, published)
            gaps, crashed, idle, outages, steps = judge(ledger, *seen(spied))
            result.update(
                published=published,
                ok=ledger.faults == 0 and len(gaps) > 0,
                faults=ledger.faults,
                repeats=ledger.repeats,
                moves=len(ledger.moves),
                nobody_waited=idle,
                gap=summary(gaps),
                outage=summary(outages),
                crash=summary(crashed),
                steps={k: summary(v) for k, v in steps.items()},
                load=round(os.getloadavg()[0], 1),
            )
        except Failure as failure:
            say(str(failure))
            result.update(ok=False, failure=str(failure))
        finally:
            end([h.process for h in crew.living] + others, signal.SIGKILL)
            rig.server.stop()
    for name in ("gap", "outage", "crash"):
        print(f"{name:8}", "  ".join(f"{k} {v}" for k, v in result.get(name, {}).items()))
    for name, words in STEPS:
        row = result.get("steps", {}).get(name, {})
        print(f"  {words:48} p50 {row.get('p50_ms')}  p99 {row.get('p99_ms')} ms")
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
