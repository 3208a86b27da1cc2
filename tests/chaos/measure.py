"""Measures what the group must reach, on real processes; prints a table and JSON.

    measure.py --parti PATH --plugins DIR [--server PROGRAM] CASE [--times N]
               [--windows default|short]

Cases: kill, leader, blip, pause, pause-leader, ids, rolling, writes, idle, scale.
Windows that wait for workers to come are short, or as they are by default; all other
timing is the default.  `make measure CASE=kill` calls it with the tree's own build.
Exit status 0 only if nothing overlapped and every goal of the case was met.
"""

import argparse
import json
import os
import signal
import sys
import time
import urllib.request

from group import Failure, Group, Writes, boot_ns, percentile

WINDOWS = {
    "default": "",
    "short": "cold_start_window = 1 s\nplanned_scale_window = 1 s\n"
    "min_rebalance_interval = 1 s\n",
}
SETTLE_S = 180  # with default windows, too
HELD_GOAL_S = 60  # scale: from the first start until all is held, and held evenly


def say(text):
    print(text, file=sys.stderr, flush=True)


def summary(ms):
    return {
        "n": len(ms),
        "p50_ms": percentile(ms, 50),
        "p99_ms": percentile(ms, 99),
        "max_ms": max(ms),
    }


def taken_over(group, lost, since_ns, loser=None):
    """When the last of the lost partitions was assigned elsewhere, or None."""
    newest = 0
    for p in lost:
        times = [w.held[p][0] for w in group.living() if w is not loser and p in w.held]
        if not times or max(times) < since_ns:
            return None
        newest = max(newest, max(times))
    return newest


def kill_rounds(group, times, choose, goal_ms):
    """SIGKILL of one of three workers, again and again, at default protocol timing."""
    ini = group.ini(timing=group.timing)
    for _ in range(3):
        group.start(ini)
    group.wait_settled(32, seconds=SETTLE_S)
    took = []
    for i in range(times):
        victim = choose(group)
        lost = set(victim.held)
        at = victim.kill()
        group.bury(victim)
        group.wait(
            "the partitions of the killed worker are held elsewhere",
            lambda: taken_over(group, lost, at) is not None,
            30,
        )
        took.append((taken_over(group, lost, at) - at) / 1e6)
        say(f"  {i + 1}/{times}: {took[-1]:.0f} ms")
        group.start(ini)
        group.wait_settled(32, seconds=SETTLE_S)
    result = summary(took)
    result["goal_p99_ms"] = goal_ms
    result["ok"] = result["p99_ms"] <= goal_ms
    return result


def a_follower(group):
    leader = group.leader()
    return next(w for w in group.living() if w is not leader and w.held)


def the_leader(group):
    group.wait("a leader is known", lambda: group.leader() is not None)
    return group.leader()


def case_kill(group, times):
    return kill_rounds(group, times, a_follower, 1400)


def case_leader(group, times):
    return kill_rounds(group, times, the_leader, 2300)


def pump_for(group, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        group.pump(until - time.monotonic())


def blip(group, seconds):
    """The server dies and is back on its store and port; when all is held again, in s."""
    at = boot_ns()
    group.server.kill()
    pump_for(group, seconds)
    group.server.start_again()
    # A lease's length after it is back whoever could not renew has been fenced: what is
    # held then is held by a lease of after the outage.
    pump_for(group, 1.2)
    group.wait_settled(32, seconds=SETTLE_S)
    return (boot_ns() - at) / 1e9


def case_blip(group, times):
    """The server is away for 1 s; then a follower dies (odd rounds) or is told to leave."""
    ini = group.ini(timing=group.timing)
    for _ in range(3):
        group.start(ini)
    group.wait_settled(32, seconds=SETTLE_S)
    times = max(times, 2)
    took = {"crash": [], "drain": []}
    back = []
    for i in range(times):
        back.append(blip(group, 1.0))
        kind = "drain" if i % 2 else "crash"
        victim = a_follower(group)
        lost = set(victim.held)
        if kind == "crash":
            at = victim.kill()
            group.bury(victim)
        else:
            at = boot_ns()
            victim.signal(signal.SIGTERM)
        group.wait(
            f"the partitions of the worker are held elsewhere after its {kind}",
            lambda: taken_over(group, lost, at, victim) is not None,
            60,
        )
        took[kind].append((taken_over(group, lost, at, victim) - at) / 1e6)
        say(f"  {i + 1}/{times}: back after {back[-1]:.1f} s, {kind} {took[kind][-1]:.0f} ms")
        if kind == "drain":
            group.wait("the worker has left", lambda: victim.process.poll() is not None, 30)
            victim.ended_ns = boot_ns()
            group.bury(victim)
        group.start(ini)
        group.wait_settled(32, seconds=SETTLE_S)
    result = {"all_held_again_max_s": round(max(back), 2), "goal_crash_ms": 1400}
    for kind, ms in took.items():
        result.update({f"{kind}_{key}": value for key, value in summary(ms).items()})
    result["goal_drain_ms"] = 1000
    result["ok"] = max(took["crash"]) <= 1400 and max(took["drain"]) <= 1000
    return result


def pause_rounds(group, times, choose):
    """SIGSTOP for 5 s and back: fenced before its partitions are granted elsewhere."""
    ini = group.ini(timing=group.timing)
    for _ in range(3):
        group.start(ini)
    group.wait_settled(32, seconds=SETTLE_S)
    margins = []
    for i in range(times):
        victim = choose(group)
        lost = set(victim.held)
        fences = sum(e["event"] == "fenced" for e in victim.events)
        at = boot_ns()
        victim.signal(signal.SIGSTOP)
        until = at + 5_000_000_000
        while boot_ns() < until:
            group.pump((until - boot_ns()) / 1e9)
        regranted = taken_over(group, lost, at)
        if regranted is None:
            raise Failure("the paused worker's partitions were not taken over in 5 s")
        others = [w for w in group.living() if w is not victim]
        first = min(w.held[p][0] for p in lost for w in others if p in w.held)
        victim.signal(signal.SIGCONT)
        group.wait(
            "the worker says that it was fenced",
            lambda: sum(e["event"] == "fenced" for e in victim.events) > fences,
            30,
        )
        fence = [e for e in victim.events if e["event"] == "fenced"][-1]
        margins.append((first - fence["boot_ns"]) / 1e6)
        say(f"  {i + 1}/{times}: fenced {margins[-1]:.0f} ms before the first grant")
        group.wait_settled(32, seconds=SETTLE_S)
    result = {"n": times, "least_margin_ms": min(margins), "p50_margin_ms": percentile(margins, 50)}
    result["fenced_first"] = sum(m > 0 for m in margins)
    result["ok"] = result["fenced_first"] == times
    return result


def case_pause(group, times):
    return pause_rounds(group, times, a_follower)


def case_pause_leader(group, times):
    """The same for the leader: deposed meanwhile, it must not act on what it knew."""
    return pause_rounds(group, times, the_leader)


def case_ids(group, times):
    """Workers that start at once get distinct ids."""
    ini = group.ini(partitions="p/0..999", timing=group.timing, worker=f"id_max = {times - 1}")
    at = boot_ns()
    workers = [group.start(ini) for _ in range(times)]
    group.wait("every worker has an id", lambda: all(w.id for w in workers), 120)
    took = (boot_ns() - at) / 1e9
    group.wait_settled(1000, seconds=SETTLE_S)
    ids = {w.id for w in workers}
    return {"workers": times, "distinct_ids": len(ids), "seconds": took, "ok": len(ids) == times}


def case_rolling(group, times):
    """Ten workers with ids, restarted one after the other: nothing moves."""
    inis = [
        group.ini(
            partitions="p/0..999",
            timing=group.timing,
            worker=f"id = worker-{i}\non_term = restart",
        )
        for i in range(10)
    ]
    workers = [group.start(ini) for ini in inis]
    group.wait_settled(1000, seconds=SETTLE_S)
    before = {w.id: set(w.held) for w in workers}
    moved = 0
    for i in range(times):
        k = i % 10
        old = workers[k]
        old.signal(signal.SIGTERM)
        group.wait("the worker has left", lambda: old.process.poll() is not None, 30)
        old.ended_ns = boot_ns()
        group.bury(old)
        workers[k] = group.start(inis[k])
        group.wait_settled(1000, seconds=SETTLE_S)
        after = {w.id: set(w.held) for w in workers}
        moved += sum(len(before[i] - after.get(i, set())) for i in before)
        say(f"  restart {i + 1}/{times}: {moved} moved so far")
    return {"restarts": times, "moved": moved, "ok": moved == 0}


def stream_seq(group):
    url = f"{group.server.monitor}/jsz?streams=true&accounts=true"
    with urllib.request.urlopen(url, timeout=5) as answer:
        data = json.load(answer)
    for account in data["account_details"]:
        for stream in account["stream_detail"]:
            if stream["name"].startswith("KV_parti_"):
                return stream["state"]["last_seq"]
    raise Failure("the server has no stream of the group")


def leaving_writes(group, victim):
    """SIGTERM, and the end of it: every write to the log but the leader's renewals."""
    writes = Writes(group.server)
    victim.signal(signal.SIGTERM)
    group.wait("the worker has left", lambda: victim.process.poll() is not None, 30)
    victim.ended_ns = boot_ns()
    group.bury(victim)
    group.wait_settled(32, seconds=SETTLE_S)
    keys = []

    def has_been_dropped():
        keys.extend(k for k in writes.take() if k != "lease")
        return keys.count("head") >= 3

    group.wait("the leaver's place is dropped from the head", has_been_dropped, 30)
    writes.close()
    return keys


def case_writes(group, times):
    """Writes to the log, counted at the server: at rest, and for one rebalance.

    A rebalance writes the record of each worker that changes and the head twice: the plan,
    and the release.  The leaver's place is dropped by one more head, later and alone; that
    is no part of the rebalance and is counted apart.
    """
    ini = group.ini(timing=group.timing)
    for _ in range(4):
        group.start(ini)
    group.wait_settled(32, seconds=SETTLE_S)
    begin, at = stream_seq(group), time.monotonic()
    while time.monotonic() < at + times:
        group.pump(at + times - time.monotonic())
    seconds = time.monotonic() - at
    rate = (stream_seq(group) - begin) / seconds

    victim = next(w for w in group.living() if w is not group.leader())
    keys = leaving_writes(group, victim)
    second = [i for i, k in enumerate(keys) if k == "head"][1]
    rebalance, later = keys[: second + 1], keys[second + 1 :]
    changed = {k.split(".")[1] for k in rebalance if k.startswith("own.")}
    goal = len(changed) + 2
    return {
        "steady_writes_per_s": round(rate, 2),
        "seconds": round(seconds, 1),
        "goal_writes_per_s": 3.5,
        "workers_changed": len(changed),
        "rebalance_writes": len(rebalance),
        "goal_rebalance_writes": goal,
        "rebalance_keys": " ".join(rebalance),
        "later_drop_of_the_leaver": len(later),
        "later_keys": " ".join(later),
        "ok": rate <= 3.5 and len(changed) == 4 and len(rebalance) == goal and later == ["head"],
    }


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        rows = dict(line.split(":", 1) for line in f if ":" in line)
    return {k: int(rows[k].split()[0]) / 1024 for k in ("VmRSS", "RssAnon", "RssFile")}


def at_rest(group, worker, seconds):
    """CPU and memory of one worker over so long a time."""
    before, at = cpu_s(worker.pid), time.monotonic()
    while time.monotonic() < at + seconds:
        group.pump(at + seconds - time.monotonic())
    cpu = (cpu_s(worker.pid) - before) / (time.monotonic() - at) * 100
    rss = rss_mb(worker.pid)
    return {
        "partitions_held": len(worker.held),
        "leads": worker is group.leader(),
        "rss_mb": round(rss["VmRSS"], 1),
        "rss_anonymous_mb": round(rss["RssAnon"], 1),
        "rss_of_files_mb": round(rss["RssFile"], 1),
        "cpu_percent": round(cpu, 2),
        "ok": rss["VmRSS"] <= 8 and cpu <= 0.5,
    }


def case_idle(group, times):
    """Memory and CPU at rest in a group of 10,000 partitions: of a follower that holds a
    quarter of them, and of the one that holds all, which leads, being alone."""
    ini = group.ini(partitions="p/0..9999", timing=group.timing)
    result = {"partitions": 10000, "goal_rss_mb": 8, "goal_cpu_percent": 0.5, "seconds": times}
    alone = group.start(ini)
    group.wait_settled(10000, seconds=SETTLE_S)
    all_held = at_rest(group, alone, times)
    for _ in range(3):
        group.start(ini)
    group.wait(
        "each of four holds a quarter",
        lambda: group.settled(10000) and all(len(w.held) > 2000 for w in group.living()),
        SETTLE_S,
    )
    follower = next(w for w in group.living() if w is not group.leader())
    quarter = at_rest(group, follower, times)
    result.update({f"all_{k}": v for k, v in all_held.items()})
    result.update({f"quarter_{k}": v for k, v in quarter.items()})
    result["ok"] = all_held["ok"] and quarter["ok"] and all_held["partitions_held"] == 10000
    return result


def case_scale(group, times):
    """Many workers on one machine: cold start until every partition is held, evenly."""
    ini = group.ini(partitions="p/0..9999", timing=group.timing, worker=f"id_max = {times - 1}")
    share = 10000 / times
    at = boot_ns()
    for _ in range(times):
        group.start(ini)
    group.wait(
        "every partition is held",
        lambda: sum(len(w.held) for w in group.workers) == 10000,
        SETTLE_S,
    )
    first = (boot_ns() - at) / 1e9
    group.wait(
        "every worker holds its part",
        lambda: group.settled(10000) and all(abs(len(w.held) - share) < 1 for w in group.workers),
        SETTLE_S,
    )
    spread = (boot_ns() - at) / 1e9
    leader = group.leader()
    cpu = at_rest(group, leader, 10)["cpu_percent"]
    rss = [rss_mb(w.pid)["VmRSS"] for w in group.workers]
    return {
        "workers": times,
        "living": len(group.living()),
        "partitions": 10000,
        "all_held_s": round(first, 2),
        "evenly_held_s": round(spread, 2),
        "goal_evenly_held_s": HELD_GOAL_S,
        "rss_mb_p50": round(percentile(rss, 50), 1),
        "rss_mb_max": round(max(rss), 1),
        "leader_cpu_percent": round(cpu, 1),
        "ok": spread <= HELD_GOAL_S and group.settled(10000) and len(group.living()) == times,
    }


CASES = {
    "kill": (case_kill, 50),
    "leader": (case_leader, 50),
    "blip": (case_blip, 10),
    "pause": (case_pause, 50),
    "pause-leader": (case_pause_leader, 50),
    "ids": (case_ids, 100),
    "rolling": (case_rolling, 10),
    "writes": (case_writes, 30),
    "idle": (case_idle, 60),
    "scale": (case_scale, 200),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parti", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--server", default="nats-server")
    parser.add_argument("--times", type=int)
    parser.add_argument("--windows", choices=WINDOWS, default="short")
    parser.add_argument("case", choices=CASES)
    args = parser.parse_args()
    run, times = CASES[args.case]
    group = Group(args.parti, args.plugins, args.server)
    group.timing = WINDOWS[args.windows]
    try:
        result = run(group, args.times or times)
        found = group.overlaps()
        for a, b in found[:5]:
            say(f"  overlap: {a} {b}")
        result["windows"] = args.windows
        result["overlaps"] = len(found)
        result["intervals"] = len(group.intervals)
        result["ok"] = result["ok"] and not found
    except Failure as failure:
        say(f"{args.case}: {failure}")
        result = {"ok": False, "failure": str(failure)}
    finally:
        keep = os.environ.get("PARTI_KEEP")
        if keep:
            group.stop = lambda: [w.process.kill() for w in group.living()] + [group.server.stop()]
        group.stop()
    for key, value in result.items():
        print(f"{key:24} {value}")
    print(json.dumps({"target": f"measure-{args.case}", **result}))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
