"""How long the engine takes on a large call and a large plan, and how near the plan is to its bound.

Called by `python -m tests.bench engine --json`. The input is made from a fixed seed, so runs can be compared.
"""

from __future__ import annotations

import random
import resource
import time
from typing import Any

from allocation.engine import award, check, schedule

HOUR = 3600
TYPES = ("a100", "h100", "l40s", "mi300", "v100")
STEP = 900


def run() -> dict[str, Any]:
    bundle = large_call(candidates=10_000)
    started = time.perf_counter()
    result = award(bundle)
    decided = time.perf_counter()
    faults = check(bundle, result)
    checked = time.perf_counter()
    request = large_plan(requests=1_000, nodes=64)
    planning = time.perf_counter()
    plan = schedule(request)
    planned = time.perf_counter()
    plan_faults = check(request, plan)
    return {
        "award_candidates": len(bundle["candidates"]),
        "award_seconds": round(decided - started, 3),
        "award_check_seconds": round(checked - decided, 3),
        "award_faults": len(faults),
        "awarded": sum(each["outcome"] == "awarded" for each in result["decisions"]),
        "plan_requests": len(request["requests"]),
        "plan_gpus": len(request["gpus"]),
        "plan_seconds": round(planned - planning, 3),
        "plan_check_seconds": round(time.perf_counter() - planned, 3),
        "plan_faults": len(plan_faults),
        "plan_part_of_bound": round(plan["placed_gpu_seconds"] / plan["bound_gpu_seconds"], 4),
        "plan_part_of_ask": round(
            plan["placed_gpu_seconds"] / sum(each["gpu_seconds"] for each in request["requests"]), 4
        ),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def large_call(*, candidates: int, seed: int = 7) -> dict[str, Any]:
    """Five GPU types, twenty shares, two earmarks of one pool, a cap; pools hold a third of the asks."""
    chance = random.Random(seed)
    applying = [_candidate(n, chance) for n in range(candidates)]
    asked = dict.fromkeys(TYPES, 0)
    for each in applying:
        asked[each["options"][0]["gpu_type"]] += each["options"][0]["ask"]
    pools = [
        {"id": f"p-{name}", "gpu_type": name, "gpu_seconds": asked[name] * 35 // 100 // HOUR * HOUR}
        for name in TYPES
    ]
    tenth = pools[0]["gpu_seconds"] // 10
    return {
        "format": "openhours/award/1",
        "rule": "rank-and-cut",
        "seed": "ab" * 32,
        "pools": pools,
        "factors": {"a100": [1, 1], "h100": [9, 4], "l40s": [2, 3], "mi300": [2, 1], "v100": [2, 5]},
        "candidates": applying,
        "earmarks": [
            {"id": "e-first", "pool": "p-a100", "gpu_seconds": tenth, "where": {"first_timer": True}},
            {"id": "e-school", "pool": "p-a100", "gpu_seconds": tenth, "where": {"sdg": [4]}},
        ],
        "shares": [_share(n) for n in range(20)],
        "caps": [{"per": "group", "gpu_seconds": 4_000 * HOUR}],
        "ballots": [],
    }


def _candidate(n: int, chance: random.Random) -> dict[str, Any]:
    options = []
    for gpu_type in chance.sample(TYPES, chance.randint(1, 3)):
        ask = chance.choice((100, 200, 400, 800, 1_600, 3_000))
        minimum = ask * chance.randint(3, 10) // 10
        options.append({"gpu_type": gpu_type, "ask": ask * HOUR, "minimum": minimum * HOUR})
    return {
        "id": f"g{n:06d}",
        "digest": f"{n:064x}",
        "score": chance.randint(1_500, 5_000),
        "tie_score": chance.randint(0, 5_000),
        "band": None,
        "fundable": chance.random() > 0.1,
        "group": f"group-{chance.randrange(6_000)}",
        "sdg": chance.sample(range(1, 18), 2),
        "country": chance.choice(("BD", "KE", "PE", "DE", "NP", "GH")),
        "kind": chance.choice(("community", "university", "school")),
        "first_timer": chance.random() < 0.3,
        "options": options,
    }


def _share(n: int) -> dict[str, Any]:
    bound = {"at_most": [1, 8]} if n % 2 else {"at_least": [1, 25]}
    return {"id": f"s{n:02d}", "where": {"sdg": [n % 17 + 1]}, **bound, "of": "pools", "hard": False}


def large_plan(*, requests: int, nodes: int, seed: int = 7) -> dict[str, Any]:
    """Nodes of eight GPUs, four weeks, each shut for a day, some slots fixed; nine tenths are asked for."""
    chance = random.Random(seed)
    start = 1_800_000_000 // STEP * STEP
    day = 24 * HOUR
    gpus = [
        {"id": f"n{node:02d}-{n}", "node": f"n{node:02d}", "gpu_type": "h100" if node % 4 == 0 else "a100"}
        for node in range(nodes)
        for n in range(8)
    ]
    closed = [
        {"node": f"n{n:02d}", "starts": start + n % 28 * day, "ends": start + (n % 28 + 1) * day}
        for n in range(nodes)
    ]
    fixed = [
        {"slot": f"f{n}", "award": f"old{n}", "gpus": [f"n{n % nodes:02d}-{n % 8}"],
         "starts": start + (30 + n % 20) * day // 2, "ends": start + (32 + n % 20) * day // 2}
        for n in range(nodes // 2)
    ]  # fmt: skip
    mean = len(gpus) * 28 * day * 9 // 10 // requests
    return {
        "format": "openhours/schedule/1",
        "step_seconds": STEP,
        "gpus": gpus,
        "closed": closed,
        "fixed": fixed,
        "requests": [_request(n, mean, start, chance) for n in range(requests)],
    }


def _request(n: int, mean: int, start: int, chance: random.Random) -> dict[str, Any]:
    at_once = chance.choice((1, 1, 2, 4, 8))
    opens = start + chance.randrange(7) * 24 * HOUR
    return {
        "award": f"g{n:04d}",
        "gpu_type": "h100" if chance.random() < 0.25 else "a100",
        "gpus_at_once": at_once,
        "same_node": at_once > 1,
        "gpu_seconds": min(mean * chance.randint(20, 180) // 100, at_once * 18 * 24 * HOUR),
        "earliest": opens,
        "latest": opens + 21 * 24 * HOUR,
        "shortest_slot_seconds": 4 * HOUR,
        "longest_slot_seconds": 3 * 24 * HOUR,
        "weight": chance.choice((1, 1, 1, 2)),
    }
