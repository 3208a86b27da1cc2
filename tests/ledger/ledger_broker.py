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
        self.witness = None
        said = subprocess.run([args.server, "-v"], capture_output=True, text=True, check=True)
        self.version = re.search(r"v([0-9.]+)", said.stdout)[1]
        self.members = []
        if args.servers > 1 and tuple(map(int, self.version.split(".")[:2])) < (2, 10):
            raise Failure(
                f"positions on {args.servers} servers want nats-server 2.10 or later, and "
                f"{args.server} is {self.version}: SERVER=servers/2.15.1/nats-server, say"
            )
        if args.servers == 1:
            self.members.append(Server(folder, args.server))
        else:
            self._cluster()
        self.url = ",".join(m.url for m in self.members)
        self.source = f"plugin = static\npartitions = p/0..{args.partitions - 1}\n"
        self.consume = (
            f"plugin = jetstream\nurl = {self.url}\nstream = LEDGER\n"
            "subject = ledger.{2}\nname = ledger\n"
        )
        self.dead_letter = "dead.ledger"

    def _cluster(self):
        ports = [free_port() for _ in range(3)]
        routes = "".join(f"nats-route://127.0.0.1:{p}\n" for p in ports)
        for i, port in enumerate(ports):
            self.members.append(
                Server(self.folder, self.args.server, f"s{i + 1}",
                       f"cluster {{\nname: ledger\nlisten: 127.0.0.1:{port}\n"
                       f"routes: [\n{routes}]\n}}\n")
            )

    def _producer(self, *words, program="produce_nats", url=None):
        return [
            os.path.join(self.args.build, "tests", "ledger", program),
            "--url", url or self.url, "--folder", self.folder,
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

    def watch(self):
        """Position records, as the server keeps them, from now on: witness.rows."""
        words = self._producer(program="witness", url=self.url)
        with open(os.path.join(self.folder, "witness.log"), "wb") as log:
            self.witness = subprocess.Popen(words, stdout=log, stderr=log)

    def read_dead(self):
        """What became a dead letter: the file 'dead'."""
        self._read(self._producer("--dead", program="witness"))

    def _read(self, words):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"dead letters cannot be read: {done.stderr}")

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
        if self.witness:
            self.witness.terminate()
            self.witness.wait()
        for member in self.members:
            member.stop()
        if self.log:
            self.log.close()


class Kafka(Nats):
    """Kafka for the messages, a nats-server or three for the group and its positions."""

    def __init__(self, args, folder):
        super().__init__(args, folder)
        environment = dict(os.environ, PARTI_BUILDDIR=args.build)
        self.host = subprocess.Popen(
            [os.path.join(args.build, "tests", "ledger", "kafka_host"),
             str(args.servers), str(args.partitions)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        self.brokers = self.host.stdout.readline().strip()
        if not self.brokers:
            self.stop()
            raise Failure("Kafka does not start")
        self.source = f"plugin = kafka\nbrokers = {self.brokers}\ntopics = ledger\n"
        self.consume = (
            f"plugin = kafka\nbrokers = {self.brokers}\ngroup = ledger\nstart = earliest\n"
        )
        self.dead_letter = "ledger-dead"

    def make(self):
        pass

    def produce(self, rate):
        self.log = open(os.path.join(self.folder, "produce.log"), "wb")
        words = self._producer("--rate", str(rate), program="produce_kafka", url=self.brokers)
        return subprocess.Popen(words, stdout=self.log, stderr=self.log)

    def read_dead(self):
        self._read(self._producer("--dead", program="produce_kafka", url=self.brokers))

    def left(self):
        return None

    def stop(self):
        self.host.stdin.close()
        self.host.wait()
        super().stop()
