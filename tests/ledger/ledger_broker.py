"""The brokers of the ledger test: what the workers' file says of them, the producer."""

import os
import re
import socket
import subprocess

from group import Failure, Server


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nats:
    """One nats-server or a cluster of three, and the stream LEDGER."""

    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.log = None
        said = subprocess.run([args.server, "-v"], capture_output=True, text=True, check=True)
        self.version = re.search(r"v([0-9.]+)", said.stdout)[1]
        self.members = []
        if args.servers == 1:
            self.members.append(Server(folder, args.server))
        else:
            self._cluster()
        self.url = ",".join(m.url for m in self.members)
        self.consume = (
            f"plugin = jetstream\nurl = {self.url}\nstream = LEDGER\n"
            "subject = ledger.{2}\nname = ledger\n"
        )

    def _cluster(self):
        ports = [free_port() for _ in range(3)]
        routes = "".join(f"nats-route://127.0.0.1:{p}\n" for p in ports)
        for i, port in enumerate(ports):
            self.members.append(
                Server(self.folder, self.args.server, f"s{i + 1}",
                       f"cluster {{\nname: ledger\nlisten: 127.0.0.1:{port}\n"
                       f"routes: [\n{routes}]\n}}\n")
            )

    def _producer(self, *words):
        return [
            os.path.join(self.args.build, "tests", "ledger", "produce_nats"),
            "--url", self.url, "--folder", self.folder,
            "--retention", self.args.retention, "--servers", str(self.args.servers),
            "--partitions", str(self.args.partitions),
            "--messages", str(self.args.messages), *words,
        ]

    def make(self):
        done = subprocess.run(self._producer("--make"), capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"the stream cannot be made: {done.stderr}")

    def produce(self, rate):
        words = ["--rate", str(rate)]
        if self.args.retention == "interest":
            words.append("--await-readers")
        self.log = open(os.path.join(self.folder, "produce.log"), "wb")
        return subprocess.Popen(self._producer(*words), stdout=self.log, stderr=self.log)

    def left(self):
        """Messages that the stream still has, where it lets go of what is done."""
        if self.args.retention == "limits":
            return None
        done = subprocess.run(self._producer("--look"), capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"no state of the stream: {done.stderr}")
        return int(done.stdout)

    def stop(self):
        for member in self.members:
            member.stop()
        if self.log:
            self.log.close()
