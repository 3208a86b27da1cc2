"""conf/telemetry-jetstream.ini with each of the workers that handle messages, by the
commands of README.md, against a real nats-server: all is handled once and in order while
a second worker comes and the first one leaves, and a restart goes on where it stopped."""

import sys
from concurrent.futures import ThreadPoolExecutor

from rig import Evening, Failure, Server, handled, judge, nats_server

CONF = "telemetry-jetstream.ini"
WORKERS = {
    "Python": "parti run -c telemetry-jetstream.ini -- ./messages.py",
    "shell": "parti run -c telemetry-jetstream.ini -- ./messages.sh",
    "C": "./messages telemetry-jetstream.ini",
}
DEVICES = [f"telemetry/{site}/{device}" for site in ("eu", "us") for device in range(1, 5)]


def published(rounds):
    """telemetry.py publishes a reading of each device, round after round."""
    step = len(DEVICES)
    return {d: [i + 1 + step * k for k in range(rounds)] for i, d in enumerate(DEVICES)}


class Case:
    def __init__(self, evening):
        self.evening = evening
        self.workers = []
        self.rounds = 0

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


def look(evening, case):
    """The commands that show what is going on, on one worker that has done all."""
    lines = evening.run("parti status -c telemetry-jetstream.ini")
    if not any(line.startswith("worker-0 ") for line in lines):
        raise Failure(f"parti status says {lines}")
    lines = evening.run("parti positions -c telemetry-jetstream.ini")
    shown = sorted(line.split()[0] for line in lines[1:])
    if shown != sorted(DEVICES):
        raise Failure(f"parti positions says {lines} after {case.rounds} rounds")


def run(evening, command):
    case = Case(evening)
    case.produce(100)
    evening.run("parti config check telemetry-jetstream.ini")
    first = case.start(command)
    case.await_all()
    evening.await_settled(CONF, 1, len(DEVICES))
    look(evening, case)
    second = case.start(command)
    while not handled([second]):
        case.produce(1)
    evening.await_settled(CONF, 2, len(DEVICES))
    case.produce(20)
    first.end()
    before = len(handled([second]))
    case.produce(10)
    evening.await_settled(CONF, 1, len(DEVICES))
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
    """Side by side: each has a server, a folder and a group of its own, and they mostly
    wait."""
    with ThreadPoolExecutor(len(WORKERS)) as pool:
        evenings = {
            language: pool.submit(one, language, command)
            for language, command in WORKERS.items()
        }
    failed = {language: e.exception() for language, e in evenings.items() if e.exception()}
    for language, why in failed.items():
        if not isinstance(why, Failure):
            raise why
        print(f"examples: {language}: {why}", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
