#!/usr/bin/env python3
"""Readings to handle:  ./telemetry.py [COUNT [URL]]

Publishes COUNT readings (100 unless given) of each of eight devices, and waits until the
server has confirmed each.  Makes the streams TELEMETRY and DEAD if they are not there.
With --broken it publishes one message that is no reading.  Python's own library is all
that it needs; `nats stream add` and `nats pub` would do the same.
"""

import json
import os
import random
import socket
import sys

DEVICES = [f"{site}.{device}" for site in ("eu", "us") for device in range(1, 5)]


class Nats:
    """As much of a NATS client as it takes to ask and to be answered."""

    def __init__(self, url):
        host, _, port = url.removeprefix("nats://").partition(":")
        try:
            self.socket = socket.create_connection((host, int(port or 4222)), timeout=10)
        except OSError as error:
            sys.exit(f"{url}: {error}; start nats-server -js there, or give the URL")
        self.file = self.socket.makefile("rb")
        self.inbox = f"_INBOX.{os.urandom(8).hex()}"
        self.send(f'CONNECT {{"verbose":false}}\r\nSUB {self.inbox} 1\r\n')

    def send(self, text):
        self.socket.sendall(text.encode())

    def ask(self, subject, data):
        self.send(f"PUB {subject} {self.inbox} {len(data)}\r\n{data}\r\n")
        while line := self.file.readline().decode():
            if line.startswith("PING"):
                self.send("PONG\r\n")
            elif line.startswith("MSG"):
                return json.loads(self.file.read(int(line.split()[-1]) + 2))
            elif line.startswith("-ERR"):
                sys.exit(f"the server says {line.strip()}")
        sys.exit("the server has closed the connection")

    def stream(self, name, subject):
        asked = json.dumps({"name": name, "subjects": [subject]})
        answer = self.ask(f"$JS.API.STREAM.CREATE.{name}", asked)
        if answer.get("error", {}).get("err_code", 10058) != 10058:  # 10058: it is there
            sys.exit(f"the stream {name} cannot be made: {answer['error']['description']}")

    def publish(self, subject, data):
        answer = self.ask(subject, data)
        if "error" in answer:
            sys.exit(f"{subject} is not taken: {answer['error']['description']}")


def main():
    words = [word for word in sys.argv[1:] if word != "--broken"]
    nats = Nats(words[1] if len(words) > 1 else os.environ.get("NATS_URL", "nats://127.0.0.1"))
    nats.stream("TELEMETRY", "telemetry.>")
    nats.stream("DEAD", "dead.>")
    count = int(words[0]) if words else 100
    for _ in range(count):
        for device in DEVICES:
            nats.publish(f"telemetry.{device}.celsius", f"{random.gauss(20, 3):.1f}")
    print(f"{count * len(DEVICES)} readings of {len(DEVICES)} devices")
    if "--broken" in sys.argv:
        nats.publish(f"telemetry.{DEVICES[0]}.celsius", "out of order")
        print(f"and one message of telemetry.{DEVICES[0]} that is none")


main()
