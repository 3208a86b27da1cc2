"""A group of real workers under test: real nats-server, real `parti run` processes.

Everything that happens is read from the workers' event lines (product.md, Events) as it
comes: waiting is waiting for an event, with a deadline, never for time to pass.
Python 3.11, standard library only.  Ends only processes that it started.
"""

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def boot_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Failure(Exception):
    """The thing under test did not do what it must."""


class Server:
    """One nats-server on loopback with JetStream, or one node of a cluster."""

    def __init__(self, folder, program="nats-server", name="s1", extra=""):
        self.folder = os.path.join(folder, name)
        os.makedirs(os.path.join(self.folder, "ports"))
        self.program = program
        self.conf = os.path.join(self.folder, "server.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(
                "host: 127.0.0.1\nport: -1\nhttp: 127.0.0.1:-1\n"
                f"server_name: {name}\nports_file_dir: {self.folder}/ports\n"
                f"jetstream {{\nstore_dir: {self.folder}/store\n}}\n{extra}"
            )
        self.process = None
        self.start()

    def start(self):
        for old in os.listdir(os.path.join(self.folder, "ports")):
            os.unlink(os.path.join(self.folder, "ports", old))
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.conf], stdout=log, stderr=log
            )
        ports = self._ports()
        self.url = ports["nats"][0]
        self.monitor = ports["monitoring"][0]

    def kill(self):
        """SIGKILL: nothing is said to anybody, the store stays as it is."""
        self.process.kill()
        self.process.wait()

    def start_again(self):
        """On the same port, so that clients find it again."""
        port = self.url.rsplit(":", 1)[1]
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("port: -1\n", f"port: {port}\n", 1))
        self.start()

    def _ports(self):
        path = os.path.join(self.folder, "ports")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failure(f"{self.program} ended: see {self.folder}/log")
            for name in os.listdir(path):
                try:
                    with open(os.path.join(path, name), encoding="utf-8") as f:
                        ports = json.load(f)
                    if ports.get("nats") and ports.get("monitoring"):
                        return ports
                except ValueError:
                    pass  # half written
            time.sleep(0.005)
        raise Failure("the server wrote no ports file within 10 s")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


class Writes:
    """Every write to the group's log, as the server passes it on to a subscriber."""

    def __init__(self, server, group="chaos"):
        host, port = server.url.removeprefix("nats://").rsplit(":", 1)
        self.prefix = f"$KV.parti_{group}."
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.file = self.socket.makefile("rb")
        self.keys = []
        self._send(f'CONNECT {{"verbose":false}}\r\nSUB {self.prefix}> 1\r\n')
        self.take()

    def _send(self, text):
        self.socket.sendall(text.encode())

    def take(self):
        """Up to what the server has passed on by now; the keys written since the last time."""
        self._send("PING\r\n")
        while True:
            line = self.file.readline()
            if not line:
                raise Failure("the server has closed the connection")
            words = line.decode().split()
            if words[:1] == ["PONG"]:
                break
            if words[:1] == ["MSG"]:
                self.file.read(int(words[-1]) + 2)
                self.keys.append(words[1].removeprefix(self.prefix))
            elif words[:1] == ["PING"]:
                self._send("PONG\r\n")
            elif words[:1] == ["-ERR"]:
                raise Failure(line.decode())
        keys, self.keys = self.keys, []
        return keys

    def close(self):
        self.file.close()
        self.socket.close()


class Worker:
    """One `parti run` process and what it has said."""

    def __init__(self, group, ini, name):
        self.group = group
        self.name = name
        self.id = ""
        self.state = "Init"
        self.leader = None
        self.held = {}
        self.ended_ns = None
        self.events = []
        self.buffer = b""
        self.log = open(os.path.join(group.folder, name + ".err"), "wb")
        self.started_ns = boot_ns()
        self.process = subprocess.Popen(
            [group.parti, "run", "-c", ini, "--events", "-"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        os.set_blocking(self.process.stdout.fileno(), False)
        group.selector.register(self.process.stdout, selectors.EVENT_READ, self)

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL; the time after which it surely did nothing any more."""
        at = boot_ns()
        self.process.kill()
        self.process.wait()
        self.ended_ns = boot_ns()
        return at

    def take(self):
        """Reads what has come; False at the end of the stream."""
        try:
            data = os.read(self.process.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return True
        if not data:
            return False
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.group.on_event(self, json.loads(line))
        return True


class Group:
    """Workers of one group, their events, and who holds what since when."""

    def __init__(self, parti, plugins, server_program="nats-server", folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="parti-chaos-")
        self.parti = os.path.abspath(parti)
        self.plugins = os.path.abspath(plugins)
        self.selector = selectors.DefaultSelector()
        self.workers = []
        self.intervals = []  # (partition, worker name, from ns, to ns)
        self.grants = 0
        self.server = Server(self.folder, server_program)
        self.ini_n = 0
        self.timing = ""

    def ini(self, partitions="orders/0..31", timing="", worker="", group="chaos"):
        self.ini_n += 1
        path = os.path.join(self.folder, f"w{self.ini_n}.ini")
        with open(path, "w", encoding="utf-8") as f:
            f.write(
                f"[parti]\ngroup = {group}\nplugin_dir = {self.plugins}\n"
                f"[nats]\nurl = {self.server.url}\n[worker]\n{worker}\n"
                "[strategy]\nplugin = consistent_hash\n"
                f"[source]\nplugin = static\npartitions = {partitions}\n"
                f"[timing]\n{timing}\n"
            )
        return path

    def start(self, ini, name=None):
        worker = Worker(self, ini, name or f"p{len(self.workers)}")
        self.workers.append(worker)
        return worker

    def living(self):
        return [w for w in self.workers if w.process.poll() is None]

    def leader(self):
        """The living worker that the newest `leader` event names."""
        newest = max(
            (w.leader for w in self.workers if w.leader), default=None, key=lambda x: x[0]
        )
        for w in self.living():
            if newest and w.id == newest[1]:
                return w
        return None

    def on_event(self, worker, event):
        worker.events.append(event)
        kind = event["event"]
        if event["worker"]:
            worker.id = event["worker"]
        if kind == "state":
            worker.state = event["to"]
        elif kind == "leader":
            worker.leader = (event["term"], event["leader"])
        elif kind == "assigned":
            self.grants += len(event["partitions"])
            for p in event["partitions"]:
                worker.held[p["id"]] = (event["boot_ns"], p["token"])
        elif kind == "released":
            for p in event["partitions"]:
                self._end(worker, p["id"], event["boot_ns"])
        elif kind == "fenced":
            for p in list(worker.held):
                self._end(worker, p, event["boot_ns"])

    def _end(self, worker, partition, ns):
        held = worker.held.pop(partition, None)
        if held:
            self.intervals.append((partition, worker.name, held[0], ns))

    def bury(self, worker):
        """A dead worker's holds end with its process (or at its fence, if that is told)."""
        while worker.take():
            if not self._readable(worker):
                break
        for p in list(worker.held):
            self._end(worker, p, worker.ended_ns)

    def _readable(self, worker):
        with selectors.DefaultSelector() as s:
            s.register(worker.process.stdout, selectors.EVENT_READ)
            return bool(s.select(0))

    def pump(self, timeout):
        for key, _ in self.selector.select(timeout):
            if not key.data.take():
                self.selector.unregister(key.fileobj)

    def wait(self, what, predicate, seconds=60):
        """Takes events until predicate() holds; Failure at the deadline."""
        deadline = time.monotonic() + seconds
        while not predicate():
            left = deadline - time.monotonic()
            if left <= 0 or not self.living():
                raise Failure(f"not within {seconds} s: {what}; files in {self.folder}")
            self.pump(min(left, 1.0))

    def settled(self, partitions, workers=None):
        """Every partition held exactly once, nobody in between."""
        living = workers or self.living()
        held = [p for w in living for p in w.held]
        return (
            len(held) == partitions
            and len(set(held)) == partitions
            and all(w.state == "Stable" for w in living)
        )

    def wait_settled(self, partitions, workers=None, seconds=60):
        self.wait(
            f"{partitions} partitions held and all Stable",
            lambda: self.settled(partitions, workers),
            seconds,
        )

    def overlaps(self):
        """Pairs of intervals in which two workers held one partition."""
        now = boot_ns()
        rows = self.intervals + [
            (p, w.name, since, now) for w in self.living() for p, (since, _) in w.held.items()
        ]
        by_partition = {}
        for row in rows:
            by_partition.setdefault(row[0], []).append(row)
        found = []
        for rows in by_partition.values():
            rows.sort(key=lambda r: r[2])
            for a, b in zip(rows, rows[1:]):
                if b[2] < a[3] and a[1] != b[1]:
                    found.append((a, b))
        return found

    def stop(self):
        for w in self.living():
            w.signal(signal.SIGCONT)
            w.process.kill()
            w.process.wait()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def percentile(values, p):
    """The smallest value that at least p percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)]
