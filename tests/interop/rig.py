"""The shipped examples, run as a user runs them: a folder with the files of conf/, real
servers, real processes, and what they print, awaited with a deadline.

Python's own library only.  Ends only processes that it started.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(os.environ["PARTI_SRCDIR"])
BUILD = pathlib.Path(os.environ["PARTI_BUILDDIR"])
PLUGINS = os.environ["PARTI_PLUGIN_DIR"]
WAIT_S = 60
SETTLE_TRIES = 1000
SKIPPED = 77

sys.path.insert(0, str(SOURCE / "tests" / "chaos"))
from group import Failure, Server  # noqa: E402


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def nats_server():
    """The first of PARTI_NATS_SERVERS, else the installed one."""
    first = os.environ.get("PARTI_NATS_SERVERS", "").partition(":")[0]
    found = first or shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise Failure("no nats-server found: apt install nats-server")
    return found


class Program:
    """A process and the lines that it has printed."""

    def __init__(self, news, words, folder, env, log):
        self.news = news
        self.words = words
        self.lines = []
        self.may_end = False
        with open(log, "ab") as err:
            self.process = subprocess.Popen(
                words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=err, text=True,
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def end(self):
        """As an init system does: it leaves in order."""
        self.may_end = True
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.words} does not end") from None
        self.reader.join(WAIT_S)
        if code != 0:
            raise Failure(f"{self.words} exits {code} after SIGTERM")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Evening:
    """A user's folder: the shipped files, changed only where this machine demands it."""

    def __init__(self, name):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"parti-{name}-"))
        self.news = threading.Condition()
        self.programs = []
        self.readme = (SOURCE / "README.md").read_text(encoding="utf-8")
        path = f"{BUILD}:{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "XDG_STATE_HOME": str(self.folder / "state")}
        for key in ("PARTI_NATS_URL", "NATS_URL"):
            self.env.pop(key, None)
        for example in (SOURCE / "conf" / "examples").iterdir():
            shutil.copy(example, self.folder)
        (self.folder / "messages").symlink_to(BUILD / "tests" / "interop" / "messages")

    def conf(self, name, *changes):
        """A file of conf/ with the plugins of this build and these (old, new) in it, and
        leases that outlast the stalls of a busy machine."""
        text = (SOURCE / "conf" / name).read_text(encoding="utf-8")
        usual = (
            ("[parti]\n", f"[parti]\nplugin_dir = {PLUGINS}\n"),
            ("[timing]\n", "[timing]\nprofile = calm\n"),
        )
        for old, new in (*usual, *changes):
            if old not in text:
                raise Failure(f"conf/{name} has no '{old}'")
            text = text.replace(old, new)
        (self.folder / name).write_text(text, encoding="utf-8")

    def start(self, command, *, is_told=True):
        """A command of README.md, which must stand there word for word."""
        if is_told and command not in self.readme:
            raise Failure(f"README.md does not say '{command}'")
        words = shlex.split(command)
        if words[0].startswith("./") and not (self.folder / words[0]).exists():
            raise Failure(f"there is no {words[0]} among the examples")
        log = self.folder / f"{len(self.programs)}.err"
        program = Program(self.news, words, self.folder, self.env, log)
        self.programs.append(program)
        return program

    def run(self, command, *, is_told=True, code=0):
        """The same, to its end; its lines."""
        program = self.start(command, is_told=is_told)
        program.may_end = True
        self.until(f"the end of {command}", lambda: program.process.poll() is not None)
        program.reader.join(WAIT_S)
        if program.process.returncode != code:
            raise Failure(f"'{command}' exits {program.process.returncode}, not {code}")
        return program.lines

    def await_settled(self, conf, workers, partitions):
        """Until `parti status` shows so many workers, who have all the partitions."""
        command = f"parti status -c {conf} -o json"
        for _ in range(SETTLE_TRIES):
            now = json.loads("".join(self.run(command, is_told=False)))
            shares = [len(worker["partitions"]) for worker in now["workers"]]
            is_shared = len(shares) == workers and all(shares)
            if is_shared and sum(shares) == partitions and not now["pending"]:
                if now["state"] == "Stable":
                    return
        raise Failure(f"not settled: {now}")

    def until(self, what, predicate):
        deadline = time.monotonic() + WAIT_S
        with self.news:
            while not predicate():
                for program in self.programs:
                    if not program.may_end and program.process.poll() is not None:
                        raise Failure(f"{program.words} ended before {what}")
                if time.monotonic() > deadline:
                    raise Failure(f"not within {WAIT_S} s: {what}")
                self.news.wait(0.05)

    def finish(self, is_good):
        for program in self.programs:
            program.kill()
        if is_good:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for log in sorted(self.folder.glob("*.err")):
            print(f"---- {log}\n{log.read_text(errors='replace')[-4000:]}")
        for program in self.programs:
            print(f"---- {program.words}: {len(program.lines)} lines, the last are")
            print("\n".join(program.lines[-10:]))


class Handled:
    """A line of an example: handled PARTITION POSITION TOKEN VALUE."""

    def __init__(self, line):
        _, self.partition, position, token, self.value = line.split()
        self.position = int(position)
        self.token = tuple(int(part) for part in token.split("-"))


def handled(programs):
    return [
        Handled(line) for p in programs for line in p.lines if line.startswith("handled ")
    ]


def judge(programs, expected):
    """All of 'expected' (partition: its positions, ascending) was handled once, in order:
    by each holder in the order of its lines, by one holder after the other as their
    tokens ascend, and by one program under one token."""
    found = {}
    holder = {}
    for i, program in enumerate(programs):
        for h in handled([program]):
            found.setdefault(h.partition, {}).setdefault(h.token, []).append(h.position)
            if holder.setdefault((h.partition, h.token), i) != i:
                raise Failure(f"{h.partition}: two programs had it under {h.token}")
    if found.keys() != expected.keys():
        raise Failure(f"handled {sorted(found)}, not {sorted(expected)}")
    for partition, by_token in found.items():
        order = [at for token in sorted(by_token) for at in by_token[token]]
        if order != expected[partition]:
            raise Failure(f"{partition}: handled {order}, not {expected[partition]}")
