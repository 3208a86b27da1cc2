"""One broker of Apache Kafka, in KRaft mode, from the jars that tools/fetch-kafka.sh has put
into the build tree, and kcat, an independent client, to write and read with.

tests/edge/broker.h is the same for tests in C, with more.
"""

import json
import pathlib
import shutil
import socket
import struct
import subprocess
import time

from rig import BUILD, PLUGINS, Failure, skip

PARTITIONS = 4
START_S = 90


def jars():
    """The class path of the newest Kafka that was fetched.  Ends the test, in words, where
    there is nothing to test with."""
    if not (pathlib.Path(PLUGINS) / "kafka.so").exists():
        skip("this build has no plugin kafka (librdkafka was not found, or not wanted)")
    for program, package in (("java", "default-jre-headless"), ("kcat", "kcat")):
        if shutil.which(program) is None:
            skip(f"{program} is not here (apt install {package})")
    found = sorted(BUILD.glob("kafka/*/complete"))
    if not found:
        skip("Apache Kafka is not here: run tools/fetch-kafka.sh kafka in the build tree")
    return f"{found[-1].parent}/*"


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Kafka:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "kafka"
        self.folder.mkdir()
        self.jars = jars()
        self.process = None
        port, controller = free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self.conf = self.folder / "server.properties"
        self.conf.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}\n"
            f"advertised.listeners=PLAINTEXT://{self.address}\n"
            "controller.listener.names=CONTROLLER\n"
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"
            f"log.dirs={self.folder}/data\nnum.partitions={PARTITIONS}\n"
            "auto.create.topics.enable=true\ngroup.initial.rebalance.delay.ms=0\n"
            "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
            "transaction.state.log.replication.factor=1\n"
            "transaction.state.log.min.isr=1\nlog.cleaner.dedupe.buffer.size=1048600\n"
        )
        self._java("kafka.tools.StorageTool", "format", "-t", "cGFydGktdGVzdHMta2Fma2E",
                   "-c", str(self.conf)).wait()
        self.process = self._java("kafka.Kafka", str(self.conf))
        deadline = time.monotonic() + START_S
        while self._kcat(["-L", "-m", "1"], check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Failure(f"Kafka does not start: see {self.folder}/log")

    def _java(self, *words):
        with open(self.folder / "log", "ab") as log:
            return subprocess.Popen(
                ["java", "-Xmx320m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                 "-XX:-UsePerfData", "-cp", self.jars, *words],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )

    def _kcat(self, words, data=None, check=True):
        done = subprocess.run(
            ["kcat", "-q", "-b", self.address, *words], input=data, capture_output=True,
            timeout=60, check=False,
        )
        if check and done.returncode != 0:
            raise Failure(f"kcat {words}: {done.stderr.decode(errors='replace')}")
        return done

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def make(self, topic):
        """The broker makes a topic for whoever asks for it as a producer."""
        deadline = time.monotonic() + START_S
        while True:
            said = self._kcat(["-L", "-J", "-t", topic, "-X", "allow.auto.create.topics=true"])
            if any(len(t["partitions"]) == PARTITIONS for t in json.loads(said.stdout)["topics"]):
                return
            if time.monotonic() > deadline:
                raise Failure(f"the topic {topic} is not made")

    def write(self, topic, lines, *words):
        self._kcat(["-P", "-t", topic, *words], "".join(f"{x}\n" for x in lines).encode())

    def join(self, group, topic, n):
        """As one of Kafka's own consumers: in the group, so many messages, committed."""
        words = ["-G", group, "-c", str(n), "-X", "auto.offset.reset=earliest", topic]
        return len(self._kcat(words).stdout.splitlines())

    def read(self, topic):
        """All there is, as kcat says it in JSON."""
        said = self._kcat(["-C", "-t", topic, "-e", "-o", "beginning", "-J"]).stdout
        return [json.loads(line) for line in said.decode().splitlines()]

    def offsets(self, topic):
        """By partition: the offsets of the messages there are."""
        found = {}
        for m in self.read(topic):
            found.setdefault(f"{topic}/{m['partition']}", []).append(m["offset"])
        return {p: sorted(offsets) for p, offsets in found.items()}

    def committed(self, group):
        """By partition: the offset that the group committed last, and the metadata with it.
        From the topic in which the broker keeps them: kcat has no command for that."""
        form = "%K %S %k%s"
        data = self._kcat(["-C", "-t", "__consumer_offsets", "-e", "-o", "beginning",
                           "-f", form]).stdout
        found = {}
        while data:
            key_n, value_n, data = data.split(b" ", 2)
            key_n, value_n = int(key_n), max(int(value_n), 0)
            key, value, data = data[:key_n], data[key_n:key_n + value_n], data[key_n + value_n:]
            if int.from_bytes(key[:2], "big") > 1 or not value:
                continue  # of a member, or the end of an offset
            who, key = text(key[2:])
            topic, key = text(key)
            version, offset = struct.unpack(">hq", value[:10])
            value = value[14:] if version >= 3 else value[10:]
            if version >= 4:  # a compact text: its length and 1, in a byte while it is short
                value = bytes([0, value[0] - 1]) + value[1:]
            metadata, _ = text(value)
            if who == group:
                found[f"{topic}/{int.from_bytes(key, 'big')}"] = (offset, metadata)
        return found


def text(data):
    """A text of Kafka's, its length in two bytes before it; and what follows."""
    n = int.from_bytes(data[:2], "big")
    return data[2:2 + n].decode(), data[2 + n:]
