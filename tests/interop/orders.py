"""conf/orders-kafka.ini by the commands of README.md, against a real nats-server and real
Kafka, with workers in Python, shell and C in one group: all is handled once and in order
while the second one comes and the first one leaves, and the third one goes on where the
second one stopped; a topic that kcat had begun is taken up where it committed.  And what
kcat, an independent client, reads of what Parti wrote: committed offsets and what stands
with them, a dead letter."""

import sys

from kafka import PARTITIONS, Kafka, jars
from rig import Evening, Failure, Server, handled, judge, nats_server

CONF = "orders-kafka.ini"
PYTHON = "parti run -c orders-kafka.ini -- ./messages.py"
SHELL = "parti run -c orders-kafka.ini -- ./messages.sh"
C = "./messages orders-kafka.ini"
TOPICS = ("orders", "returns")
RETURNS, TAKEN = 30, 12  # messages of the topic returns, handled before Parti came
LEFT = RETURNS - TAKEN


class Case:
    def __init__(self, evening, kafka):
        self.evening = evening
        self.kafka = kafka
        self.workers = []
        self.written = 0

    def produce(self, n):
        """So many numbers, each greater than all before, until all are handled by whoever
        runs."""
        self.kafka.write("orders", range(self.written + 1, self.written + n + 1))
        self.written += n
        self.await_all()

    def await_all(self):
        if self.workers:
            wanted = self.written + LEFT
            self.evening.until(
                f"{wanted} messages handled", lambda: len(handled(self.workers)) >= wanted
            )

    def start(self, command):
        self.workers.append(self.evening.start(command, is_told=command == PYTHON))
        return self.workers[-1]


def in_order(workers):
    """Within a partition, by offset, the numbers ascend: they are the producer's."""
    last = {}
    for h in sorted(handled(workers), key=lambda h: h.position):
        if float(h.value) <= last.get(h.partition, 0):
            raise Failure(f"{h.partition}: {h.value} behind {last[h.partition]}")
        last[h.partition] = float(h.value)


def was_used_before(kafka):
    """The group has handled some of a topic by Kafka's own rules; what is left of it."""
    kafka.write("returns", range(1, RETURNS + 1))
    if kafka.join("billing", "returns", TAKEN) != TAKEN:
        raise Failure("kcat has not handled what it was asked to")
    done = {p: offset for p, (offset, _) in kafka.committed("billing").items()}
    if sum(done.values()) != TAKEN:
        raise Failure(f"kcat has committed {done}")
    return {p: at[done.get(p, 0):] for p, at in kafka.offsets("returns").items()}


def run(case):
    evening = case.evening
    returns = was_used_before(case.kafka)
    case.produce(200)
    evening.run("parti config check orders-kafka.ini")
    first = case.start(PYTHON)
    case.await_all()
    evening.await_settled(CONF, 1, len(TOPICS) * PARTITIONS)
    second = case.start(SHELL)
    while not handled([second]):
        case.produce(8)
    evening.await_settled(CONF, 2, len(TOPICS) * PARTITIONS)
    case.produce(100)
    first.end()
    before = len(handled([second]))
    case.produce(100)
    if len(handled([second])) != before + 100:
        raise Failure("the first one has left, and the second does not do all")
    second.end()
    case.kafka.write("orders", range(case.written + 1, case.written + 41))
    case.written += 40
    third = case.start(C)
    case.await_all()
    third.end()
    if len(handled([third])) != 40:
        raise Failure(f"the restart has handled {len(handled([third]))} messages, not 40")
    expected = case.kafka.offsets("orders")
    judge(case.workers, expected | {p: at for p, at in returns.items() if at})
    in_order(case.workers)
    return expected


def check_committed(case, expected):
    """The group's offsets, for Kafka's own tools, with the token of their last holder."""
    token = {}
    for h in handled(case.workers):
        token[h.partition] = max(h.token, token.get(h.partition, (0, 0)))
    found = case.kafka.committed("billing")
    for partition, offsets in expected.items():
        offset, metadata = found.get(partition, (None, ""))
        if offset != offsets[-1] + 1:
            raise Failure(f"{partition}: committed is {offset}, not {offsets[-1] + 1}")
        if "-".join(map(str, token[partition])) not in metadata:
            raise Failure(f"{partition}: '{metadata}' has not the token {token[partition]}")
    return next(iter(found.values()))[1]


def check_letter(case):
    case.kafka.write("orders", ["no number"], "-p", "0", "-H", "Note=as it came", "-k", "key")
    at = case.kafka.offsets("orders")["orders/0"][-1]
    case.kafka.write("orders", [case.written + 1], "-p", "0")
    worker = case.start(PYTHON)
    case.evening.until("the one behind the dead letter", lambda: handled([worker]))
    worker.end()
    letters = case.kafka.read("orders-dead")
    if len(letters) != 1:
        raise Failure(f"{len(letters)} dead letters, not 1: {letters}")
    letter = letters[0]
    pairs = letter["headers"]
    headers = dict(zip(pairs[::2], pairs[1::2]))
    wanted = {
        "Note": "as it came",
        "Parti-Group": "orders-kafka",
        "Parti-Partition": "orders/0",
        "Parti-Position": str(at),
        "Parti-Subject": "orders",
        "Parti-Attempts": "1",
        "Parti-Token": "-".join(map(str, handled([worker])[0].token)),
        "Parti-Reason": "the handler refuses it for good",
    }
    if (letter["key"], letter["payload"], headers) != ("key", "no number", wanted):
        raise Failure(f"the dead letter is {letter}, its headers not {wanted}")


def main():
    jars()
    evening = Evening("orders")
    server = Server(str(evening.folder), nats_server())
    kafka = None
    is_good = False
    try:
        kafka = Kafka(evening.folder)
        for topic in (*TOPICS, "orders-dead"):
            kafka.make(topic)
        evening.conf(
            CONF,
            ("nats://127.0.0.1:4222", server.url),
            ("127.0.0.1:9092", kafka.address),
        )
        case = Case(evening, kafka)
        expected = run(case)
        shares = [len(handled([worker])) for worker in case.workers]
        print(f"{sum(shares)} messages once and in order; by worker: {shares}")
        print(f"kcat: every offset is committed, with '{check_committed(case, expected)}'")
        check_letter(case)
        print("kcat: the dead letter has its key, its data, and the headers that say why")
        is_good = True
    except Failure as failure:
        sys.exit(f"orders: {failure}")
    finally:
        evening.finish(is_good)
        if kafka:
            kafka.stop()
        server.stop()


main()
