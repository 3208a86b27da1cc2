"""What an independent client, the official one for Python, reads of what Parti wrote: the
positions, the dead letter, what is left on the stream.  And what it may write: a position
that it sets back, or takes away, is followed by whoever holds the partition next.

core/CONSUMING.md and core/consume/record.h have the words that are checked here.
"""

import asyncio
import json
import sys

import nats

from rig import WAIT_S, Evening, Failure, Server, handled, nats_server

COMMAND = "parti run -c telemetry-jetstream.ini -- ./messages.py"
HELD, RELEASED = 0, 2  # flags of a record
ODD = "x=1,y"  # a device whose name is no plain text in a key


def same(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r}, not {wanted!r}")


class Look:
    """The official client, and the worker under test."""

    def __init__(self, evening, url):
        self.evening = evening
        self.url = url

    async def open(self):
        self.nc = await nats.connect(self.url)
        self.js = self.nc.jetstream()
        await self.js.add_stream(name="TELEMETRY", subjects=["telemetry.>"])
        await self.js.add_stream(name="DEAD", subjects=["dead.>"])
        self.last = {}
        self.count = 0

    async def publish(self, device, data, headers=None):
        subject = f"telemetry.eu.{device}.celsius"
        ack = await self.js.publish(subject, data.encode(), headers=headers)
        self.last[device] = ack.seq
        self.count += 1

    async def run(self, more):
        """A worker, until it has handled so many more; its lines."""
        worker = self.evening.start(COMMAND)
        await asyncio.to_thread(
            self.evening.until, f"{more} messages handled", lambda: len(handled([worker])) >= more
        )
        return worker

    async def end(self, worker):
        await asyncio.to_thread(worker.end)
        return handled([worker])

    async def records(self):
        kv = await self.js.key_value("parti_pos_telemetry")
        return {key: json.loads((await kv.get(key)).value) for key in await kv.keys()}


    async def records_when(self, is_it):
        """The records, as soon as this holds of them: every change of the bucket is told."""
        kv = await self.js.key_value("parti_pos_telemetry")
        watcher = await kv.watchall()
        records = {}
        async with asyncio.timeout(WAIT_S):
            while not is_it(records):
                entry = await watcher.updates(timeout=WAIT_S)
                if entry is not None:  # None: all that was there has been told
                    records[entry.key] = json.loads(entry.value)
        await watcher.stop()
        return records


def check_record(record, partition, token, position, flags):
    same(f"{partition}: keys", sorted(record), sorted(
        "parti version partition gen since origin next at attempts flags".split()
    ))
    same(f"{partition}: parti", (record["parti"], record["version"]), ("position", 1))
    same(f"{partition}: partition", record["partition"], partition)
    same(f"{partition}: token", (record["gen"], record["since"]), token)
    same(f"{partition}: next", record["next"], position + 1)
    same(f"{partition}: attempts", record["attempts"], 0)
    same(f"{partition}: flags", record["flags"], flags)
    if len(record["origin"]) != 16 or int(record["origin"], 16) == 0:
        raise Failure(f"{partition}: origin {record['origin']}")


async def positions_are_read_back(look):
    for i in range(30):
        for device in ("1", "2", ODD):
            await look.publish(device, str(i))
    worker = await look.run(90)
    lines = handled([worker])
    token = {h.partition: h.token for h in lines}
    keys = {"telemetry.eu.1": "telemetry/eu/1", "telemetry.eu.2": "telemetry/eu/2",
            "telemetry.eu.x=3D1=2Cy": "telemetry/eu/x=1,y"}
    names = dict(zip(keys, ("1", "2", ODD)))
    records = await look.records_when(  # commit_interval has passed by then
        lambda all_: all(
            all_.get(k, {}).get("next") == look.last[d] + 1 for k, d in names.items()
        )
    )
    same("keys of the bucket", sorted(records), sorted(keys))
    same("partitions", sorted(token), sorted(keys.values()))
    for key, partition in keys.items():
        at = look.last[names[key]]
        check_record(records[key], partition, token[partition], at, HELD)
    consumers = await look.js.consumers_info("TELEMETRY")
    same("a reader for each partition", len(consumers), 3)
    await look.end(worker)
    for key, record in (await look.records()).items():
        partition = keys[key]
        check_record(record, partition, token[partition], look.last[names[key]], RELEASED)
    same("readers that are left", await look.js.consumers_info("TELEMETRY"), [])


async def a_dead_letter_is_read_back(look):
    await look.publish("1", "no number", {"Device-Note": "as it came"})
    at = look.last["1"]
    await look.publish("1", "21")
    worker = await look.run(1)
    lines = await look.end(worker)
    same("behind the dead letter", [h.position for h in lines], [at + 1])
    info = await look.js.stream_info("DEAD")
    same("dead letters", info.state.messages, 1)
    letter = await look.js.get_msg("DEAD", info.state.last_seq)
    same("its subject", letter.subject, "dead.telemetry")
    same("its data", letter.data, b"no number")
    token = "-".join(map(str, lines[0].token))
    wanted = {
        "Device-Note": "as it came",
        "Parti-Group": "telemetry",
        "Parti-Partition": "telemetry/eu/1",
        "Parti-Position": str(at),
        "Parti-Subject": "telemetry.eu.1.celsius",
        "Parti-Attempts": "1",
        "Parti-Token": token,
        "Parti-Reason": "the handler refuses it for good",
    }
    found = dict(letter.headers)
    found.pop("Nats-Msg-Id")
    same("its headers", found, wanted)


async def what_a_client_writes_is_followed(look):
    kv = await look.js.key_value("parti_pos_telemetry")
    record = json.loads((await kv.get("telemetry.eu.2")).value)
    same("eu/2 stands at its end", record["next"], look.last["2"] + 1)
    record["next"] = look.last["2"]
    await kv.put("telemetry.eu.2", json.dumps(record).encode())
    worker = await look.run(1)
    lines = await look.end(worker)
    same("set back by one", [(h.partition, h.position) for h in lines],
         [("telemetry/eu/2", look.last["2"])])
    await kv.delete("telemetry.eu.2")
    worker = await look.run(30)
    lines = await look.end(worker)
    same("taken away", ({h.partition for h in lines}, len(lines)), ({"telemetry/eu/2"}, 30))


async def main():
    evening = Evening("readback")
    server = Server(str(evening.folder), nats_server())
    is_good = False
    try:
        evening.conf("telemetry-jetstream.ini", ("nats://127.0.0.1:4222", server.url))
        look = Look(evening, server.url)
        await look.open()
        for case in (
            positions_are_read_back,
            a_dead_letter_is_read_back,
            what_a_client_writes_is_followed,
        ):
            await case(look)
            print(f"{case.__name__}: holds")
        await look.nc.close()
        is_good = True
    except Failure as failure:
        sys.exit(f"readback: {failure}")
    finally:
        evening.finish(is_good)
        server.stop()


asyncio.run(main())
