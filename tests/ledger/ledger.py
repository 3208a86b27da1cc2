"""The ledger: numbered messages through workers that come, go, die and stand still.

    ledger.py --build DIR --messages N --changes N [--partitions N] [--workers N]
              [--retention limits|workqueue|interest] [--servers 1|3] [--server PROGRAM]
              [--broker nats|kafka] [--profile fast|default] [--seed N]
              [--kinds drain,kill,stop] [--trouble] [--deliver N] [--commands N]
              [--mutant NAME]
              [--folder F] [--keep]

Real processes: a broker, a producer that counts what the broker has acknowledged, workers
over libparti and, one in --commands of them, under `parti run`.  The n-th change of
membership comes when n parts of the messages are handled: a join, a drain (SIGTERM), a
SIGKILL, or a SIGSTOP for longer than the lease and a SIGCONT.  With --trouble not every
message is done: naks, terms, silence and dead letters (ledger_io.h); with --deliver the
handlers have several of a partition at once.  At the end tests/ledger/judge reads what the
workers wrote down.
The exit status is its own.  Standard library only; ends only processes that it started.
"""

import argparse
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos"))

from group import Failure, boot_ns  # noqa: E402
from ledger_broker import Kafka, Nats  # noqa: E402

ROW = struct.Struct("=HHIIIQIIQQQQ")
HANDLED, SETTLED, HOPELESS, TERMED = 2, 5, 10, 11  # row.h
SEEN = (HANDLED, HOPELESS, TERMED)
LEASE_S = {"fast": 0.6, "default": 1.2}  # by profile
CHANGE_S = {"fast": 1.5, "default": 2.0}  # a change about so often
WINDOWS = (
    "cold_start_window = 500 ms\nplanned_scale_window = 300 ms\n"
    "min_rebalance_interval = 200 ms\n"
)
COMMIT = 50  # [consume] commit_messages
HANDLE_MS = 2000  # [consume] handle_timeout, with --trouble
ATTEMPTS = 12  # attempts_max: no message meets the ends of so many workers
LOSERS = ("skip", "early", "naked", "overtake")  # mutants that lose numbers
STALL_S = 60  # nothing handled for so long: a failure
GONE_S = 20  # and the records are at the end: what is missing does not come any more
QUIET_S = 5  # the same for a mutant that loses numbers


def say(text):
    print(text, file=sys.stderr, flush=True)


class Seen:
    """What has been handled so far, read from the files as they grow."""

    def __init__(self, partitions, messages):
        self.numbers = [bytearray(messages // partitions + 1) for _ in range(partitions)]
        self.n = 0
        self.files = {}
        self.top = [-1] * partitions  # greatest position seen
        self.next = [0] * partitions  # of the position records
        self.at_s = time.monotonic()

    def look(self, path):
        size = os.path.getsize(path) if os.path.exists(path) else 0
        done = self.files.get(path, 0)
        size -= size % ROW.size
        if size <= done:
            return
        with open(path, "rb") as f:
            f.seek(done)
            data = f.read(size - done)
        self.files[path] = size
        before = self.n
        for row in ROW.iter_unpack(data):
            if row[0] == SETTLED:
                self.next[row[2]] = max(self.next[row[2]], row[5])
            elif row[0] in SEEN and row[2] < len(self.numbers):
                self.top[row[2]] = max(self.top[row[2]], row[5])
                numbers = self.numbers[row[2]]
                if row[3] < len(numbers) and not numbers[row[3]]:
                    numbers[row[3]] = 1
                    self.n += 1
        if self.n > before:
            self.at_s = time.monotonic()

    def is_settled(self):
        """Is everything that was seen in the position records?"""
        return all(top < at for top, at in zip(self.top, self.next))


class Worker:
    """One worker process, its file of rows and its log."""

    def __init__(self, run, number):
        self.number = number
        self.rows = os.path.join(run.folder, f"w{number}.rows")
        self.is_stopped = False
        self.is_leaving = False
        # The first, and now and then a later one, is a command under `parti run`.
        self.is_command = run.args.commands > 0 and number % run.args.commands == 0
        program = os.path.join(run.args.build, "tests", "ledger", "worker")
        words = ["--rows", self.rows, "--work", str(run.work_us),
                 "--deliver", str(run.args.deliver)]
        if run.args.trouble:
            words += ["--trouble"]
        if run.args.mutant:
            words += ["--mutant", run.args.mutant]
        if self.is_command:
            words = [os.path.join(run.args.build, "parti"), "run", "-c", run.ini, "--",
                     program, "--child", *words]
        else:
            words = [program, "--ini", run.ini, *words]
        with open(os.path.join(run.folder, f"w{number}.log"), "wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def is_alive(self):
        return self.process.poll() is None


class Run:
    """One run: the broker, the producer, the workers, the changes."""

    def __init__(self, args):
        self.args = args
        self.folder = args.folder or tempfile.mkdtemp(prefix="parti-ledger-")
        os.makedirs(self.folder, exist_ok=True)
        self.random = random.Random(args.seed)
        self.workers = []
        self.changes = open(os.path.join(self.folder, "changes"), "w", encoding="utf-8")
        self.cont_at = []  # (time, worker)
        # All partitions wait in their handlers at a time; so fast that a change comes
        # every CHANGE_S.
        rate = args.messages / (args.changes + 1) / CHANGE_S[args.profile]
        self.work_us = int(1e6 * args.partitions / rate)
        self.produce_rate = int(2 * rate)
        self.seen = Seen(args.partitions, args.messages)
        self.producer = None
        self.broker = None
        self.ini = os.path.join(self.folder, "ledger.ini")

    def begin(self):
        broker = Kafka if self.args.broker == "kafka" else Nats
        self.broker = broker(self.args, self.folder)
        with open(self.ini, "w", encoding="utf-8") as f:
            f.write(
                f"[parti]\ngroup = ledger\nplugin_dir = {self.args.build}/plugins/.libs\n"
                f"[nats]\nurl = {self.broker.url}\nreplicas = {self.args.servers}\n"
                "[worker]\nid_max = 999\nrestarts_max = 1000\n"
                "[strategy]\nplugin = consistent_hash\n"
                f"[source]\n{self.broker.source}"
                f"[timing]\nprofile = {self.args.profile}\n{WINDOWS}"
                "[consume]\nhandlers = 256\nin_flight = 16\n"
                f"commit_messages = {COMMIT}\n{self.broker.consume}{self.trouble()}"
            )
        self.broker.make()
        self.broker.watch()
        for _ in range(max(1, self.args.workers // 2)):
            self.start()
        self.producer = self.broker.produce(self.produce_rate)

    def trouble(self):
        text = f"deliver_max = {self.args.deliver}\n"
        if self.args.trouble:
            text += (
                f"handle_timeout = {HANDLE_MS} ms\nattempts_max = {ATTEMPTS}\n"
                f"retry_first = 20 ms\nretry_max = 80 ms\ndead_letter = {self.broker.dead_letter}\n"
            )
        return text

    def start(self):
        worker = Worker(self, len(self.workers))
        self.workers.append(worker)
        self.note("join", worker)
        return worker

    def note(self, kind, worker):
        self.changes.write(f"{boot_ns()} {kind} {worker.number}\n")
        self.changes.flush()

    def free(self):
        """Those to whom something may be done."""
        return [w for w in self.workers
                if w.is_alive() and not w.is_stopped and not w.is_leaving]

    def change(self):
        free = self.free()
        few = max(2, self.args.workers // 2)
        alive = [w for w in self.workers if w.is_alive() and not w.is_leaving]
        if len(alive) < self.args.workers and (
            len(free) <= few or self.random.random() < 0.45
        ):
            worker, kind = self.start(), "join"
        else:
            worker = self.random.choice(free)
            kind = self.random.choice(self.args.kinds.split(","))
            self.note(kind, worker)
            if kind == "drain":
                worker.is_leaving = True
                worker.process.send_signal(signal.SIGTERM)
            elif kind == "kill":
                worker.process.kill()
                worker.process.wait()
            else:
                worker.process.send_signal(signal.SIGSTOP)
                worker.is_stopped = True
                until = time.monotonic() + LEASE_S[self.args.profile] * self.random.uniform(1.3, 4)
                self.cont_at.append((until, worker))
        return f"{kind} w{worker.number}"

    def go_on(self, at_s):
        for item in [x for x in self.cont_at if x[0] <= at_s]:
            self.cont_at.remove(item)
            item[1].process.send_signal(signal.SIGCONT)
            item[1].is_stopped = False
            self.note("cont", item[1])

    def look(self):
        """Takes in what has come; a pause of a few ms, then."""
        for worker in self.workers:
            self.seen.look(worker.rows)
        self.seen.look(os.path.join(self.folder, "witness.rows"))
        self.go_on(time.monotonic())
        for worker in self.workers:
            code = worker.process.poll()
            if code not in (None, 0, -signal.SIGKILL):
                raise Failure(f"w{worker.number} ended with {code}: see its log")
        if self.producer.poll() not in (None, 0):
            raise Failure("the producer has failed: see its log")
        if self.broker.witness.poll() is not None:
            raise Failure("the witness has ended: see its log")
        if time.monotonic() - self.seen.at_s > STALL_S:
            raise Failure(f"nothing was handled for {STALL_S} s")
        time.sleep(0.02)

    def follow(self):
        args, told_s = self.args, 0
        for n in range(1, args.changes + 1):
            while self.seen.n < args.messages * n // (args.changes + 1):
                self.look()
                if time.monotonic() - told_s > 10:
                    told_s = time.monotonic()
                    say(f"  {self.seen.n} handled, change {n - 1}")
            while not self.free():
                self.look()
            what = self.change()
            say(f"  {n}/{args.changes} {what}: {self.seen.n} handled, "
                f"{sum(w.is_alive() for w in self.workers)} alive")
        while self.producer.poll() is None:
            self.look()
        while self.seen.n < args.messages and not self.is_over():
            self.look()
        while self.cont_at or not (self.seen.is_settled() or self.is_over()):
            self.look()

    def is_over(self):
        """Is it for the judge to say what is missing?"""
        enough_s = QUIET_S if self.args.mutant in LOSERS else GONE_S
        return time.monotonic() - self.seen.at_s > enough_s and self.seen.is_settled()

    def finish(self):
        """What is left in the stream; then everybody leaves in order."""
        left = None if self.args.mutant else self.broker.left()
        for w in self.free():
            w.process.send_signal(signal.SIGTERM)
        for w in self.workers:
            try:
                w.process.wait(timeout=30)
            except subprocess.TimeoutExpired as e:
                raise Failure(f"w{w.number} does not leave within 30 s") from e
        if self.args.trouble:
            self.broker.read_dead()
        return left

    def end(self):
        for w in self.workers:
            if w.is_alive():
                w.process.kill()
                w.process.send_signal(signal.SIGCONT)
                w.process.wait()
        if self.producer and self.producer.poll() is None:
            self.producer.kill()
            self.producer.wait()
        if self.broker:
            self.broker.stop()
        self.changes.close()
        if not self.args.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def judge(self, left):
        """The table and the JSON object, with what only the driver knows."""
        done = subprocess.run(
            [os.path.join(self.args.build, "tests", "ledger", "judge"), self.folder,
             str(2 * COMMIT + self.args.deliver), str(self.args.deliver),
             str(HANDLE_MS if self.args.trouble else 0)],
            stdout=subprocess.PIPE, text=True, check=False,
        )
        *table, last = done.stdout.rstrip("\n").split("\n")
        result = json.loads(last) if last.startswith("{") else {"ok": False}
        for name in ("broker", "retention", "servers", "partitions", "profile", "seed",
                     "trouble", "deliver", "commands", "mutant"):
            result[name] = getattr(self.args, name)
        result["version"] = self.broker.version
        result["left"] = left
        if left:
            result["ok"] = False
        print("\n".join(table))
        if left is not None:
            print(f"{'left':18}{left:10}  in the stream, though acknowledged")
        print(json.dumps(result))
        return 0 if done.returncode == 0 and result["ok"] else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--messages", type=int, default=1000000)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--partitions", type=int, default=200)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--retention", choices=("limits", "workqueue", "interest"),
                        default="limits")
    parser.add_argument("--servers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--server", default="nats-server")
    parser.add_argument("--broker", choices=("nats", "kafka"), default="nats")
    parser.add_argument("--profile", choices=LEASE_S, default="fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="drain,kill,stop")
    parser.add_argument("--trouble", action="store_true")
    parser.add_argument("--deliver", type=int, default=1)
    parser.add_argument("--commands", type=int, default=8)
    parser.add_argument("--mutant")
    parser.add_argument("--folder")
    parser.add_argument("--keep", action="store_true")
    run = Run(parser.parse_args())

    def stop(number, _frame):
        raise Failure(f"stopped by signal {number}")

    signal.signal(signal.SIGTERM, stop)
    try:
        run.begin()
        run.follow()
        code = run.judge(run.finish())
        if code != 0 and not run.args.mutant:
            say(f"ledger: files in {run.folder}")
            run.args.keep = True
        return code
    except Failure as failure:
        say(f"ledger: {failure}; files in {run.folder}")
        run.args.keep = True
        return 1
    finally:
        run.end()


if __name__ == "__main__":
    sys.exit(main())
