"""The public bundle of a run: the engine's problem made from rows, and the replay of what came out.

Called by awards (propose, release), the run's public page and `manage.py replay`.
"""

import hashlib
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from allocation import ranking
from allocation.engine import BundleError, award, canonical_bytes, check, lot
from allocation.models import AllocationRun, Award, Ranking, RankingRow, RunState
from grants.models import Application, Call, GpuType, Pool
from portal.lib import merkle

FORMAT = "openhours/award/1"
Bundle = dict[str, Any]


def pool_id(pool: Pool) -> str:
    return f"p{pool.pk}"


def pools_by_id(call: Call) -> dict[str, Pool]:
    pools = call.pools.select_related("gpu_type", "funder").order_by("pk")
    return {pool_id(pool): pool for pool in pools}


def first_timer(application: Application) -> bool:
    """Whether the group never accepted an award of another call."""
    return application.group_id not in _groups_with_awards(application.call)


def problem(frozen: Ranking, *, rule: str) -> dict[str, Any]:
    """The engine's award problem for a frozen ranking; a constant number of queries."""
    call = frozen.call
    pools = pools_by_id(call)
    rows = frozen.rows.select_related("application__gpu_type", "application__group")
    receipts = ranking.newest_receipts(call)
    experienced = _groups_with_awards(call)
    types = {pool.gpu_type.key: pool.gpu_type for pool in pools.values()}
    types |= {
        row.application.gpu_type.key: row.application.gpu_type for row in rows if row.application.gpu_type
    }
    offered = sorted({pool.gpu_type.key for pool in pools.values()})
    return {
        "format": FORMAT,
        "rule": rule,
        "seed": ranking.seed(call),
        "pools": [
            {"id": key, "gpu_type": pool.gpu_type.key, "gpu_seconds": pool.gpu_seconds}
            for key, pool in pools.items()
        ],
        "factors": {key: _factor(kind) for key, kind in sorted(types.items())},
        "candidates": [
            _candidate(row, receipts.get(row.application_id, ""), offered)
            | {"first_timer": row.application.group_id not in experienced}
            for row in sorted(rows, key=lambda each: each.application.public_id)
        ],
        "earmarks": [
            {
                "id": f"e{earmark.pk}",
                "pool": key,
                "gpu_seconds": earmark.gpu_seconds,
                "where": earmark.where,
            }
            for key, pool in pools.items()
            for earmark in pool.earmarks.order_by("pk")
        ],
        "shares": [],
        "caps": [],
        "ballots": [],
    }


def _factor(kind: GpuType) -> list[int]:
    worth = Fraction(kind.factor_numerator, kind.factor_denominator)
    return [worth.numerator, worth.denominator]


def _candidate(row: RankingRow, receipt_sha256: str, offered: list[str]) -> dict[str, Any]:
    application = row.application
    chosen = [application.gpu_type.key] if application.gpu_type else offered
    return {
        "id": application.public_id,
        "digest": receipt_sha256,
        "score": row.mean_thousandths,
        "tie_score": row.tie_thousandths,
        "band": None,
        "fundable": row.is_fundable,
        "group": application.group.public_id,
        "sdg": [each for each in (application.sdg_main, *application.sdg_others) if each is not None],
        "country": application.country,
        "kind": application.group_kind,
        "options": [
            {
                "gpu_type": key,
                "ask": application.ask_gpu_seconds,
                "minimum": application.minimum_gpu_seconds or application.ask_gpu_seconds,
            }
            for key in chosen
        ],
    }


def _groups_with_awards(call: Call) -> set[int]:
    accepted = Award.objects.filter(accepted_at__isnull=False).exclude(pool__call=call)
    return set(accepted.values_list("application__group", flat=True))


def bundle(run: AllocationRun) -> Bundle:
    """What anybody may download: input and result, and the lot's secret and leaves once all is released."""
    found: Bundle = {"problem": json.loads(run.problem), "result": json.loads(run.result)}
    if run.state == RunState.RELEASED:
        found["lot"] = lot_of(run.call)
    return found


def as_bytes(run: AllocationRun) -> bytes:
    """The bundle as the file that is downloaded: canonical, with what was stored as it was stored."""
    lot_part = (
        f'"lot":{canonical_bytes(lot_of(run.call)).decode()},' if run.state == RunState.RELEASED else ""
    )
    return f'{{{lot_part}"problem":{run.problem},"result":{run.result}}}'.encode()


def lot_of(call: Call) -> dict[str, Any]:
    """The secret with the hash published before the close, the root, and each receipt's digest by number."""
    leaves = ranking.receipt_leaves(call)
    return {
        "secret": call.lot_secret,
        "secret_sha256": call.lot_secret_sha256,
        "root": merkle.root(leaves).hex(),
        "receipts": [leaf.hex() for leaf in leaves],
    }


def replay(found: Bundle) -> list[str]:
    """Computes a bundle again: each difference with its place, the first one first; none when all is equal.

    Raises BundleError where the bundle cannot be used at all.
    """
    if not isinstance(found, dict) or not {"problem", "result"} <= found.keys() <= {
        "problem",
        "result",
        "lot",
    }:
        raise BundleError("$", "a bundle has a problem, a result and, once released, a lot")
    faults = list(_lot_faults(found["lot"], found["problem"])) if "lot" in found else []
    computed = award(found["problem"])
    if canonical_bytes(computed) != canonical_bytes(found["result"]):
        faults += differences(found["result"], computed, "$.result")
    return faults + [f"the checker says: {fault}" for fault in check(found["problem"], found["result"])]


def differences(had: Any, computed: Any, path: str) -> Iterator[str]:
    """Where two values of JSON differ, in the order of the text."""
    if isinstance(had, dict) and isinstance(computed, dict):
        for name in sorted(had.keys() | computed.keys()):
            yield from differences(had.get(name), computed.get(name), f"{path}.{name}")
    elif isinstance(had, list) and isinstance(computed, list) and len(had) == len(computed):
        for number, (one, other) in enumerate(zip(had, computed, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif had != computed or type(had) is not type(computed):
        yield f"{path}: the bundle has {_short(had)}, computed again it is {_short(computed)}"


def _short(value: Any) -> str:
    text = canonical_bytes(value).decode()
    return text if len(text) <= 80 else text[:77] + "..."


def _lot_faults(drawn: Any, asked: Any) -> Iterator[str]:
    """Whether secret, receipts, root and seed belong together."""
    try:
        secret = bytes.fromhex(drawn["secret"])
        leaves = [bytes.fromhex(each) for each in drawn["receipts"]]
        told, root, seed = drawn["secret_sha256"], drawn["root"], asked["seed"]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError("$.lot", "this is not a secret, its hash, a root and a list of receipts") from error
    if hashlib.sha256(secret).hexdigest() != told:
        yield "$.lot.secret: its hash is not the one that was published before the close"
    if merkle.root(leaves).hex() != root:
        yield "$.lot.root: the receipts have another root"
    if lot.seed_from(secret, merkle.root(leaves)) != seed:
        yield "$.problem.seed: secret and receipts give another seed"
