"""conf/telemetry-jetstream.ini with each of the workers that handle messages, by the
commands of README.md, against a real nats-server: all is handled once and in order while
a second worker comes and the first one leaves, and a restart goes on where it stopped."""

import json
import sys

from rig import Evening, Failure, Server, handled, judge, nats_server

WORKERS = {
    "Python": "parti run -c telemetry-jetstream.ini -- ./messages.py",
    "shell": "parti run -c telemetry-jetstream.ini -- ./messages.sh",
    "C": "./messages telemetry-jetstream.ini",
}
DEVICES = [f"telemetry/{site}/{device}" for site in ("eu", "us") for device in range(1, 5)]

STATUS = "parti status -c telemetry-jetstream.ini -o json"
TRIES_MAX = 1000


def published(rounds):
    """telemetry.py publishes a reading of each device, round after round."""
    step = len(DEVICES)
    return {d: [i + 1 + step * k for k in range(rounds)] for i, d in enumerate(DEVICES)}


class Case:
    def __init__(self, evening):
        self.evening = evening
        self.workers = []
        self.rounds = 0
        self.tries = 0

    def produce(self, rounds):
        """So many readings of each device, until all are handled by whoever runs."""
        self.evening.run(f"./telemetry.py {rounds}", is_told=rounds >= 20)
        self.rounds += rounds
        self.await_all()

    def await_all(self):
        wanted = self.rounds * len(DEVICES)
        if self.workers:
            self.evening.until(
                f"{wanted} messages handled", lambda: len(handled(self.workers)) >= wanted
            )

    def start(self, command):
        self.workers.append(self.evening.start(command))
        return self.workers[-1]

    def await_settled(self, workers):
        """Until `parti status` shows so many workers, who have all partitions."""
        while True:
            lines = self.evening.run(STATUS, is_told=False)
            now = json.loads("".join(lines))
            shares = [len(worker["partitions"]) for worker in now["workers"]]
            if (now["state"] == "Stable" and not now["pending"] and all(shares)
                    and len(shares) == workers and sum(shares) == len(DEVICES)):
                return
            self.tries += 1
            if self.tries > TRIES_MAX:
                raise Failure(f"not settled: {now}")


def run(evening, command):
    case = Case(evening)
    case.produce(100)
    evening.run("parti config check telemetry-jetstream.ini")
    first = case.start(command)
    case.await_all()
    case.await_settled(1)
    second = case.start(command)
    while not handled([second]):
        case.produce(1)
    case.await_settled(2)
    case.produce(20)
    first.end()
    before = len(handled([second]))
    case.produce(10)
    case.await_settled(1)
    if len(handled([second])) != before + 10 * len(DEVICES):
        raise Failure("the first one has left, and the second does not do all")
    second.end()
    evening.run("./telemetry.py 5", is_told=False)
    case.rounds += 5
    third = case.start(command)
    case.await_all()
    third.end()
    if len(handled([third])) != 5 * len(DEVICES):
        raise Failure(f"the restart has handled {len(handled([third]))} messages, not 40")
    judge(case.workers, published(case.rounds))
    return [len(handled([worker])) for worker in case.workers]


def one(language, command):
    evening = Evening("examples")
    server = Server(str(evening.folder), nats_server())
    is_good = False
    try:
        evening.conf("telemetry-jetstream.ini", ("nats://127.0.0.1:4222", server.url))
        evening.env["NATS_URL"] = server.url  # for telemetry.py
        shares = run(evening, command)
        print(f"{language}: {sum(shares)} messages once and in order; by worker: {shares}")
        is_good = True
    finally:
        evening.finish(is_good)
        server.stop()


def main():
    try:
        for language, command in WORKERS.items():
            one(language, command)
    except Failure as failure:
        sys.exit(f"examples: {failure}")


main()
