"""The award bundle as frozen dataclasses: read strictly from JSON, and written back unchanged.

Called by the engine's entry functions; stage functions build the JSON and never these classes by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .canonical import BundleError
from .fields import Fields, fraction, refuse_twins, text, whole

FORMAT = "openhours/award/1"
MOST_EARMARKS_OF_ONE_POOL = 12
BANDS = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction as it was written: [2, 4] stays [2, 4], so that a bundle keeps its bytes."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Pool:
    id: str
    gpu_type: str
    gpu_seconds: int


@dataclass(frozen=True, slots=True)
class Option:
    gpu_type: str
    ask: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Candidate:
    id: str
    digest: str
    score: int
    tie_score: int
    band: str | None
    fundable: bool
    group: str
    sdg: tuple[int, ...]
    country: str
    kind: str
    first_timer: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """A conjunction; None asks nothing, a tuple means "any of"."""

    sdg: tuple[int, ...] | None = None
    principal_only: bool | None = None
    country: tuple[str, ...] | None = None
    kind: tuple[str, ...] | None = None
    first_timer: bool | None = None
    gpu_type: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Earmark:
    id: str
    pool: str
    gpu_seconds: int
    where: Where


@dataclass(frozen=True, slots=True)
class Share:
    """At least or at most a part of all pools, in equivalents; `is_floor` says which."""

    id: str
    where: Where
    is_floor: bool
    part: Ratio
    hard: bool


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many equivalents for one group."""

    gpu_seconds: int


@dataclass(frozen=True, slots=True)
class Ballot:
    voter: str
    approves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    rule: str
    seed: str
    pools: tuple[Pool, ...]
    factors: tuple[tuple[str, Ratio], ...]
    candidates: tuple[Candidate, ...]
    earmarks: tuple[Earmark, ...] = ()
    shares: tuple[Share, ...] = ()
    caps: tuple[Cap, ...] = ()
    ballots: tuple[Ballot, ...] = ()


def parse(value: Any) -> Problem:
    """Reads an award bundle; raises BundleError with the path of what is wrong.

    Left out, earmarks, shares, caps and ballots are empty; so are a candidate's tie_score (0), band (null),
    sdg, country, kind and first_timer (false). Everything else must be there.
    """
    top = Fields(value, "$")
    if top.text("format") != FORMAT:
        raise BundleError("$.format", f"this must be {FORMAT!r}")
    problem = Problem(
        rule=top.text("rule"),
        seed=_seed(top),
        pools=tuple(_pool(each) for each in top.objects("pools")),
        factors=_factors(top),
        candidates=tuple(_candidate(each) for each in top.objects("candidates")),
        earmarks=tuple(_earmark(each) for each in top.objects("earmarks", ())),
        shares=tuple(_share(each) for each in top.objects("shares", ())),
        caps=tuple(_cap(each) for each in top.objects("caps", ())),
        ballots=tuple(_ballot(each) for each in top.objects("ballots", ())),
    )
    top.done()
    _refuse_twins(problem)
    _refuse_loose_ends(problem)
    return problem


def _seed(top: Fields) -> str:
    seed = top.text("seed")
    if not re.fullmatch(r"[0-9a-f]{64}", seed):
        raise BundleError("$.seed", "this must be 64 hex digits, in small letters")
    return seed


def _factors(top: Fields) -> tuple[tuple[str, Ratio], ...]:
    factors = top.take("factors")
    if not isinstance(factors, dict):
        raise BundleError("$.factors", "this must be an object")
    found = []
    for gpu_type in sorted(factors):
        ratio = _ratio(factors[gpu_type], f"$.factors.{gpu_type}")
        if ratio.numerator == 0:
            raise BundleError(f"$.factors.{gpu_type}", "a factor can not be 0")
        found.append((gpu_type, ratio))
    return tuple(found)


def _ratio(value: Any, path: str) -> Ratio:
    fraction(value, path)
    return Ratio(value[0], value[1])


def _pool(fields: Fields) -> Pool:
    pool = Pool(fields.name("id"), fields.name("gpu_type"), fields.integer("gpu_seconds"))
    fields.done()
    return pool


def _candidate(fields: Fields) -> Candidate:
    band = fields.take("band", None)
    if band is not None and band not in BANDS:
        raise BundleError(fields.at("band"), "this must be A, B, C or null")
    candidate = Candidate(
        id=fields.name("id"),
        digest=fields.text("digest"),
        score=fields.integer("score"),
        tie_score=fields.integer("tie_score", default=0),
        band=band,
        fundable=fields.boolean("fundable"),
        group=fields.text("group"),
        sdg=tuple(whole(each, path) for each, path in fields.items("sdg", ())),
        country=fields.text("country", ""),
        kind=fields.text("kind", ""),
        first_timer=fields.boolean("first_timer", False),
        options=tuple(_option(each) for each in fields.objects("options")),
    )
    if not candidate.options:
        raise BundleError(fields.at("options"), "there is no option to grant")
    path = fields.at("options")
    refuse_twins((option.gpu_type, f"{path}[{n}].gpu_type") for n, option in enumerate(candidate.options))
    fields.done()
    return candidate


def _option(fields: Fields) -> Option:
    option = Option(
        fields.name("gpu_type"), fields.integer("ask", least=1), fields.integer("minimum", least=1)
    )
    if option.minimum > option.ask:
        raise BundleError(
            fields.at("minimum"),
            f"the smallest useful amount ({option.minimum}) is larger than the ask ({option.ask})",
        )
    fields.done()
    return option


def _where(fields: Fields) -> Where:
    def texts(name: str) -> tuple[str, ...] | None:
        return tuple(text(*each) for each in fields.items(name)) if name in fields else None

    where = Where(
        sdg=tuple(whole(*each) for each in fields.items("sdg")) if "sdg" in fields else None,
        principal_only=fields.boolean("principal_only") if "principal_only" in fields else None,
        country=texts("country"),
        kind=texts("kind"),
        first_timer=fields.boolean("first_timer") if "first_timer" in fields else None,
        gpu_type=texts("gpu_type"),
    )
    fields.done()
    return where


def _earmark(fields: Fields) -> Earmark:
    where = _where(Fields(fields.take("where"), fields.at("where")))
    earmark = Earmark(fields.name("id"), fields.name("pool"), fields.integer("gpu_seconds"), where)
    fields.done()
    return earmark


def _share(fields: Fields) -> Share:
    if ("at_least" in fields) == ("at_most" in fields):
        raise BundleError(fields.path, "a share says either at_least or at_most")
    is_floor = "at_least" in fields
    name = "at_least" if is_floor else "at_most"
    part = _ratio(fields.take(name), fields.at(name))
    if part.numerator > part.denominator:
        raise BundleError(fields.at(name), "a share can not be more than the whole")
    if fields.text("of", "pools") != "pools":
        raise BundleError(fields.at("of"), 'this must be "pools"')
    where = _where(Fields(fields.take("where"), fields.at("where")))
    share = Share(fields.name("id"), where, is_floor, part, fields.boolean("hard", False))
    fields.done()
    return share


def _cap(fields: Fields) -> Cap:
    if fields.text("per") != "group":
        raise BundleError(fields.at("per"), 'this must be "group"')
    cap = Cap(fields.integer("gpu_seconds"))
    fields.done()
    return cap


def _ballot(fields: Fields) -> Ballot:
    ballot = Ballot(fields.name("voter"), tuple(text(*each) for each in fields.items("approves")))
    path = fields.at("approves")
    refuse_twins((each, f"{path}[{n}]") for n, each in enumerate(ballot.approves))
    fields.done()
    return ballot


def _refuse_twins(problem: Problem) -> None:
    refuse_twins((each.id, f"$.pools[{n}].id") for n, each in enumerate(problem.pools))
    refuse_twins((each.id, f"$.candidates[{n}].id") for n, each in enumerate(problem.candidates))
    refuse_twins((each.id, f"$.earmarks[{n}].id") for n, each in enumerate(problem.earmarks))
    refuse_twins((each.id, f"$.shares[{n}].id") for n, each in enumerate(problem.shares))
    refuse_twins((each.voter, f"$.ballots[{n}].voter") for n, each in enumerate(problem.ballots))


def _refuse_loose_ends(problem: Problem) -> None:
    """What one part names, another part must have."""
    known = {gpu_type for gpu_type, _ in problem.factors}
    for n, pool in enumerate(problem.pools):
        if pool.gpu_type not in known:
            raise BundleError(f"$.pools[{n}].gpu_type", f"{pool.gpu_type!r} has no factor")
    for n, candidate in enumerate(problem.candidates):
        for m, option in enumerate(candidate.options):
            if option.gpu_type not in known:
                path = f"$.candidates[{n}].options[{m}].gpu_type"
                raise BundleError(path, f"{option.gpu_type!r} has no factor")
    ids = {candidate.id for candidate in problem.candidates}
    for n, ballot in enumerate(problem.ballots):
        for m, approved in enumerate(ballot.approves):
            if approved not in ids:
                raise BundleError(f"$.ballots[{n}].approves[{m}]", f"there is no candidate {approved!r}")
    _refuse_too_much_earmarked(problem)


def _refuse_too_much_earmarked(problem: Problem) -> None:
    free = {pool.id: pool.gpu_seconds for pool in problem.pools}
    count = dict.fromkeys(free, 0)
    for n, earmark in enumerate(problem.earmarks):
        path = f"$.earmarks[{n}]"
        if earmark.pool not in free:
            raise BundleError(f"{path}.pool", f"there is no pool {earmark.pool!r}")
        free[earmark.pool] -= earmark.gpu_seconds
        count[earmark.pool] += 1
        if free[earmark.pool] < 0:
            raise BundleError(f"{path}.gpu_seconds", f"the earmarks hold more than pool {earmark.pool!r} has")
        if count[earmark.pool] > MOST_EARMARKS_OF_ONE_POOL:
            most = MOST_EARMARKS_OF_ONE_POOL
            raise BundleError(path, f"pool {earmark.pool!r} has more than {most} earmarks")
