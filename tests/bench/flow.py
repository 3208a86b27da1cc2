"""Messages through real worker processes against a bare loop, in one run.

    flow.py --flow PROGRAM --parti PROGRAM --plugins DIR [--server PROGRAM] [options]

A real nats-server on loopback, and with --broker kafka a real broker beside it; a stream
that is filled before the clock runs; arms in turn, so that what the machine does meanwhile
meets all alike.  The clock runs from the first to the last message handled, in whatever
process.  Every arm's handler checks that each partition's messages come in order, none
twice, none missing; with --work-us it computes for so long as well.

  bare      nats.c: a pull consumer a process for its share of the subjects, fetched in
            batches, the last message of a batch acknowledged (AckAll): what a program
            does that keeps its position as seldom as Parti does.  The yardstick.
  explicit  the same with an ack for each message (AckExplicit)
  none      the same without acks, and so without a position
  readers   a bare process again, but a consumer for each partition, as Parti has it, so
            that partitions could go from one process to another; acknowledged as bare
  With Kafka bare is librdkafka as it comes: assigned partitions, batches of messages,
            offsets committed by itself every 5 s; the arms of acks are not there.
  worker    libparti with [consume]: position records, order by partition
  json      `parti run` with a command in C, JSON lines
  raw       the same, raw

Last line: JSON.  Exit status 0 only if no message was lost, doubled or out of order.
"""

import argparse
import json
import mmap
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos"))
from group import Failure, Server  # noqa: E402

PLACE = 64  # bytes of struct flow_place, and of what stands before the first
PLACES = 15
BARE = {"bare": "all", "explicit": "explicit", "none": "none", "readers": "all", "list": "all"}
ARMS = list(BARE) + ["worker", "json", "raw"]
ARM_S = 120
# How long workers are gathered; all other timing is the default.
WINDOWS = "cold_start_window = 1 s\nplanned_scale_window = 1 s\nmin_rebalance_interval = 1 s\n"


def say(text):
    print(text, file=sys.stderr, flush=True)


class Board:
    """The file that all processes of an arm count in (flow.h)."""

    def __init__(self, path, partitions):
        self.path = path
        self.partitions = partitions
        self.bytes = PLACE * (1 + PLACES) + 8 * 65536
        with open(path, "wb") as f:
            f.truncate(self.bytes)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), self.bytes)

    def work(self, rounds):
        struct.pack_into("=Q", self.map, 8, rounds)

    def go(self, value):
        struct.pack_into("=Q", self.map, 0, value)

    def place(self, i):
        """count, first_ns, last_ns, wrong, is_ready, fences"""
        return struct.unpack_from("=6Q", self.map, PLACE * (1 + i))

    def handled(self):
        return sum(self.place(i)[0] for i in range(PLACES))

    def reached(self):
        """Messages of all partitions up to the last one handled of each."""
        return sum(struct.unpack_from(f"={self.partitions}Q", self.map, PLACE * (1 + PLACES)))

    def wrong(self):
        return sum(self.place(i)[3] for i in range(PLACES))

    def fences(self):
        return sum(self.place(i)[5] for i in range(PLACES))

    def seconds(self):
        places = [p for p in map(self.place, range(PLACES)) if p[0] > 0]
        return (max(p[2] for p in places) - min(p[1] for p in places)) / 1e9


def wait(what, predicate, processes, seconds=ARM_S, pause_s=0.002):
    deadline = time.monotonic() + seconds
    while not predicate():
        for p in processes:
            if p.poll() is not None:
                raise Failure(f"a process ended before {what}: {p.args}")
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(pause_s)


def end(processes, number=signal.SIGTERM, seconds=20):
    for p in processes:
        if p.poll() is None:
            p.send_signal(number)
    for p in processes:
        try:
            p.wait(seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def cpu(pids):
    """Seconds of processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def below(pid):
    """A process and its children."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return [pid] + [p for child in f.read().split() for p in below(int(child))]


class Rig:
    """The server, the stream and how each arm is started."""

    def __init__(self, args, folder, work_us=0):
        self.args = args
        self.folder = folder
        self.server = Server(folder, args.server)
        self.runs = 0
        self.kafka = None
        self.work = self.rounds_of(work_us)
        self.broker_pid = self.server.process.pid

    def flow(self, *arguments, **more):
        return subprocess.Popen([self.args.flow, *map(str, arguments)], **more)

    def rounds_of(self, us):
        """Rounds of work that take so long: by the quickest of some, undisturbed."""
        rounds = 10_000_000
        spin = [self.args.flow, "spin", str(rounds)]
        quickest_ns = min(int(subprocess.check_output(spin)) for _ in range(5))
        return round(us * 1000 * rounds / quickest_ns)

    def fill_kafka(self, messages):
        a = self.args
        self.kafka = subprocess.Popen(
            [a.flow + "_kafka", "serve", "FLOW", str(a.partitions), str(messages), str(a.size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.kafka.stdout.readline().split()
        if len(line) != 2:
            raise Failure("there is no Kafka to read from")
        self.address, self.broker_pid = line[0], int(line[1])

    def fill(self, messages):
        a = self.args
        if a.broker == "kafka":
            self.fill_kafka(messages)
            return
        stream = {
            "name": "FLOW",
            "subjects": ["p.>"],
            "storage": a.storage,
            "retention": "limits",
        }
        p = self.flow(
            "fill", self.server.url, a.partitions, a.groups, messages, a.size, json.dumps(stream)
        )
        if p.wait() != 0:
            raise Failure("the stream could not be filled")

    def ini(self, name, timing):
        a = self.args
        per = a.partitions // a.groups
        if a.broker == "kafka":
            parts = f"FLOW/0..{a.partitions - 1}"
            where = f"plugin = kafka\nbrokers = {self.address}\ngroup = {name}\nstart = earliest\n"
        else:
            parts = ", ".join(f"{g}/{g * per}..{(g + 1) * per - 1}" for g in range(a.groups))
            where = f"plugin = jetstream\nurl = {self.server.url}\nstream = FLOW\n"
            where += "subject = p.{1}.{2}\n"
        path = os.path.join(self.folder, f"{name}.ini")
        with open(path, "w", encoding="utf-8") as f:
            f.write(
                f"[parti]\ngroup = {name}\nplugin_dir = {a.plugins}\n"
                f"[nats]\nurl = {self.server.url}\n"
                "[strategy]\nplugin = consistent_hash\n"
                f"[source]\nplugin = static\npartitions = {parts}\n"
                f"[consume]\n{where}"
                f"in_flight = {a.in_flight}\n"
                + "".join(f"{line}\n" for line in a.consume)
                + f"[timing]\n{timing}\n"
            )
        return path

    def start(self, arm, i, name, board, ini):
        a = self.args
        per = a.partitions // a.groups
        if arm in BARE and a.broker == "kafka":
            span = ["FLOW", i * per, (i + 1) * per, a.batch, name]
            return subprocess.Popen(
                [a.flow + "_kafka", "bare", self.address, board.path, str(i), *map(str, span)]
            )
        if arm in BARE:
            filters = [f"p.{i}.>"]
            if arm in ("readers", "list"):
                filters = [f"p.{i}.{p}" for p in range(i * per, (i + 1) * per)]
            if arm == "list":
                filters = [",".join(f'"{f}"' for f in filters)]
            place = [board.path, i, BARE[arm], a.batch, f"{name}_{i}"]
            return self.flow("bare", self.server.url, *place, *filters)
        if arm == "worker":
            return self.flow("worker", ini, board.path, i)
        with open(os.path.join(self.folder, "run.log"), "ab") as log:
            command = [a.flow, "child", board.path, str(i), arm]
            return subprocess.Popen(
                [a.parti, "run", "-c", ini, "--", *command], stdout=log, stderr=log
            )

    def stop(self):
        if self.kafka:
            self.kafka.communicate()  # the end of its input
        self.server.stop()

    def run(self, arm, messages, tries=3):
        """Messages a second; microseconds of processor time a message: workers, broker."""
        self.runs += 1
        name = f"{arm}{self.runs}"
        board = Board(os.path.join(self.folder, "board"), self.args.partitions)
        board.work(self.work)
        lines = [] if arm in BARE or arm == "worker" else [f"format = {arm}"]
        saved, self.args.consume = self.args.consume, self.args.consume + lines
        ini = self.ini(name, WINDOWS)
        self.args.consume = saved
        before = cpu([self.broker_pid])
        processes = [self.start(arm, i, name, board, ini) for i in range(self.args.groups)]
        try:
            if arm in BARE:
                everyone = range(self.args.groups)
                wait("all are ready", lambda: all(board.place(i)[4] for i in everyone), processes)
                board.go(1)
            wait("all is handled", lambda: board.reached() >= messages, processes)
            ours_s = cpu([p for q in processes for p in below(q.pid)])
            broker_s = cpu([self.broker_pid]) - before
        finally:
            end(processes, signal.SIGKILL if arm in BARE else signal.SIGTERM)
        if board.fences() and tries > 1:
            say(f"  {arm:8} a lease was lost, the machine is too busy; again")
            return self.run(arm, messages, tries - 1)
        if board.wrong() or board.handled() != messages:
            raise Failure(f"{arm}: {board.wrong()} lost, doubled or out of order")
        rate = messages / board.seconds()
        ours_us, broker_us = ours_s * 1e6 / messages, broker_s * 1e6 / messages
        say(f"  {arm:8} {rate:9.0f}/s  {ours_us:.2f} us here, {broker_us:.2f} us in the broker")
        return rate, ours_us, broker_us


def table(rates):
    """Rows of arms: rate, and the ratio to the bare loop of the same round."""
    rows = []
    for arm, values in rates.items():
        ratios = sorted(v[0] / b[0] for v, b in zip(values, rates["bare"]))
        rows.append(
            {
                "arm": arm,
                "n": len(values),
                "per_second_p50": round(statistics.median(v[0] for v in values)),
                "ratio_p50": round(statistics.median(ratios), 3),
                "ratio_min": round(ratios[0], 3),
                "ratio_max": round(ratios[-1], 3),
                "cpu_us_p50": round(statistics.median(v[1] for v in values), 2),
                "broker_us_p50": round(statistics.median(v[2] for v in values), 2),
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flow", required=True)
    parser.add_argument("--parti", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--server", default="nats-server")
    parser.add_argument("--broker", choices=["nats", "kafka"], default="nats")
    parser.add_argument("--workers", dest="groups", type=int, default=1)
    parser.add_argument("--messages", type=int, help="0.3 or, of Kafka, 2 million")
    parser.add_argument("--partitions", type=int, default=64)
    parser.add_argument("--size", type=int, default=128, help="bytes of a message")
    parser.add_argument("--batch", type=int, default=256, help="of a fetch, and in_flight")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--storage", default="file")
    parser.add_argument("--work-us", type=float, default=0, help="of a handler's own, a message")
    parser.add_argument("--arms")
    parser.add_argument("--consume", action="append", default=[], help="a line of [consume]")
    args = parser.parse_args()
    if not args.arms:
        args.arms = "bare,explicit,readers,worker" if args.broker == "nats" else "bare,worker"
    args.messages = args.messages or (300000 if args.broker == "nats" else 2000000)
    arms = args.arms.split(",")
    args.in_flight = args.batch
    if "bare" not in arms or not set(arms) <= set(ARMS) or args.partitions % args.groups:
        parser.error("arms are of " + ", ".join(ARMS) + ", bare among them")
    result = {"target": "bench-flow", "broker": args.broker, "ok": True}
    result.update({k: getattr(args, k) for k in ("messages", "partitions", "size", "batch")})
    result["workers"] = args.groups
    result["work_us"] = args.work_us
    with tempfile.TemporaryDirectory(prefix="parti-flow-") as folder:
        rig = Rig(args, folder, args.work_us)
        rates = {arm: [] for arm in arms}
        try:
            rig.fill(args.messages)
            for i in range(args.rounds):
                for arm in arms if i % 2 == 0 else reversed(arms):
                    rates[arm].append(rig.run(arm, args.messages))
            result["arms"] = table(rates)
            result["load"] = round(os.getloadavg()[0], 1)
        except Failure as failure:
            say(str(failure))
            result.update(ok=False, failure=str(failure))
        finally:
            rig.stop()
    print(f"{args.groups} workers, {args.partitions} partitions, {args.messages} messages")
    for row in result.get("arms", []):
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    print(json.dumps(result))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
