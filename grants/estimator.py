"""How many GPU-hours a job takes, what it costs the climate, and which way is cheaper.

Pure and exact: integers and fractions in, integers of gpu_seconds out.
Called by the estimate page and question 6. What it knows about models, cards
and grids lies in grants/data/*.toml, with its sources.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ceil, floor
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")
HOUR = 3600
TRIES = 2  # one run that counts, and as much again for experiments
INTERRUPTIONS = Fraction(5, 4)  # power cuts, full queues, restarts
ELSEWHERE = "WORLD"
STEPS_OF_HOURS = ((20, 1), (100, 5), (1000, 10))  # below 20 hours: whole ones; below 100: fives; ...
STEP_OF_MANY_HOURS = 50


@dataclass(frozen=True)
class Model:
    """One kind of job that the estimator knows; the keys are explained in data/models.toml."""

    key: str
    unit: str
    rung: int
    memory_mb: int
    parameters: int = 0
    operations: int = 0
    good_percent: int | None = None
    poor_percent: int | None = None
    measured_on: str | None = None
    measured_low_seconds: Fraction | None = None
    measured_seconds: Fraction | None = None
    tokens_per_second: Fraction | None = None


@dataclass(frozen=True)
class Card:
    """A type of GPU."""

    key: str
    name: str
    memory_mb: int
    peak_tflops: int
    watts: int


@dataclass(frozen=True)
class Job:
    """What a person tells us. `passes` counts for examples only: the other units are gone through once.

    A call or a cluster that knows its own grid and PUE gives grams_per_kwh and pue_hundredths; they go first.
    """

    model: str
    amount: int
    passes: int = 3
    tokens_each: int = 60
    card: str = "a100_40"
    grid: str = ELSEWHERE
    grams_per_kwh: int | None = None
    pue_hundredths: int | None = None


@dataclass(frozen=True)
class Step:
    """One line of the working: what went in, what came out. Words are made by grants.estimate_words."""

    kind: str
    values: Mapping[str, int | str | Fraction]
    result: Fraction
    unit: str


@dataclass(frozen=True)
class Route:
    """A cheaper way to the same end; `model` is set where it is another line of data/models.toml."""

    kind: str
    model: str | None
    ask_seconds: int
    saves_seconds: int
    saves_grams: int


@dataclass(frozen=True)
class Estimate:
    """Hours of one run as a range, what to ask for, and everything that the page shows beside it."""

    job: Job
    low_seconds: int
    high_seconds: int
    ask_seconds: int
    smallest_seconds: int
    memory_mb: int
    cards_needed: int
    fits: tuple[Card, ...]
    energy_wh: int
    co2_grams: int
    cheaper: tuple[Route, ...]
    steps: tuple[Step, ...]

    @property
    def low_hours(self) -> Decimal:
        return hours_below(self.low_seconds)

    @property
    def high_hours(self) -> Decimal:
        return hours_above(self.high_seconds)

    @property
    def ask_hours(self) -> Decimal:
        return hours_above(self.ask_seconds)

    @property
    def smallest_hours(self) -> Decimal:
        return hours_above(self.smallest_seconds)

    @property
    def energy_kwh(self) -> Decimal:
        return Decimal(self.energy_wh) / 1000

    @property
    def co2_kg(self) -> Decimal:
        return Decimal(self.co2_grams) / 1000


def _read(name: str) -> dict[str, Any]:
    # Fractions keep "2.36 minutes" exact; a float would already be something else.
    with (DATA / name).open("rb") as file:
        return tomllib.load(file, parse_float=Fraction)


@cache
def models() -> Mapping[str, Model]:
    return {key: Model(key=key, **_exact(row)) for key, row in _read("models.toml").items()}


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    exact = ("measured_low_seconds", "measured_seconds", "tokens_per_second")
    return {key: Fraction(value) if key in exact else value for key, value in row.items()}


@cache
def cards() -> Mapping[str, Card]:
    return {key: Card(key=key, **row) for key, row in _read("cards.toml").items()}


@cache
def grids() -> Mapping[str, int]:
    """Grams of CO2e per kWh by country code."""
    return {key: int(grams) for key, grams in _read("grids.toml")["grams_per_kwh"].items()}


@cache
def usual_pue_hundredths() -> int:
    return int(_read("grids.toml")["pue_hundredths"])


def grams_per_kwh(country: str) -> int:
    return grids().get(country, grids()[ELSEWHERE])


def estimate(job: Job) -> Estimate:
    """The whole answer for one job; raises ValueError for a job that no form should have let through."""
    model, card = _known(job)
    one_run = _one_run(job, model, card)
    low, high = min(step.result for step in one_run), max(step.result for step in one_run)
    ask = suggest_seconds(high)
    energy, carbon = energy_step(job, card, ask), carbon_step(job, card, ask)
    return Estimate(
        job=job,
        low_seconds=floor(low),
        high_seconds=ceil(high),
        ask_seconds=ask,
        smallest_seconds=min(ask, _round_up(high)),
        memory_mb=model.memory_mb,
        cards_needed=ceil(Fraction(model.memory_mb, card.memory_mb)),
        fits=tuple(each for each in cards().values() if each.memory_mb >= model.memory_mb),
        energy_wh=_half_up(energy.result),
        co2_grams=_half_up(carbon.result),
        cheaper=tuple(_cheaper(job, model, card, ask, suggest_seconds(low))),
        steps=(*one_run, _ask_step(high, ask), energy, carbon),
    )


def needs_reason(*, ask_seconds: int, estimate: Estimate) -> bool:
    """True where the ask is more than twice what we suggested: then one sentence is wanted."""
    return ask_seconds > 2 * estimate.ask_seconds


def suggest_seconds(one_run: Fraction) -> int:
    """Room to try things and to be interrupted, rounded up to an amount that one would say aloud."""
    return _round_up(one_run * TRIES * INTERRUPTIONS)


def energy_step(job: Job, card: Card, gpu_seconds: int) -> Step:
    """Watt-hours at the wall: full power all the time, so never too little."""
    pue = job.pue_hundredths or usual_pue_hundredths()
    hours = Fraction(gpu_seconds, HOUR)
    values: dict[str, int | str | Fraction] = {
        "hours": hours,
        "watts": card.watts,
        "pue": Fraction(pue, 100),
    }
    return Step(kind="energy", values=values, result=hours * card.watts * Fraction(pue, 100), unit="wh")


def carbon_step(job: Job, card: Card, gpu_seconds: int) -> Step:
    energy = energy_step(job, card, gpu_seconds).result
    grams = grams_per_kwh(job.grid) if job.grams_per_kwh is None else job.grams_per_kwh
    grid = job.grid if job.grid in grids() else ELSEWHERE
    values: dict[str, int | str | Fraction] = {"wh": energy, "grams_per_kwh": grams, "grid": grid}
    return Step(kind="carbon", values=values, result=energy * grams / 1000, unit="grams")


def hours_below(gpu_seconds: int) -> Decimal:
    """The low end as it is shown: rounded down; tenths below one hour, never less than 0.1."""
    if gpu_seconds < HOUR:
        return Decimal(max(1, gpu_seconds * 10 // HOUR)) / 10
    step = _step_of(Fraction(gpu_seconds, HOUR))
    return Decimal(gpu_seconds // (HOUR * step) * step)


def hours_above(gpu_seconds: int) -> Decimal:
    """The high end and every ask as it is shown: rounded up; tenths below one hour."""
    if gpu_seconds < HOUR:
        return Decimal(max(1, ceil(Fraction(gpu_seconds * 10, HOUR)))) / 10
    return Decimal(_round_up(Fraction(gpu_seconds)) // HOUR)


def _known(job: Job) -> tuple[Model, Card]:
    if job.model not in models() or job.card not in cards():
        raise ValueError(f"Unknown model or card: {job.model}, {job.card}")
    if min(job.amount, job.passes, job.tokens_each) < 1:
        raise ValueError("Amount, passes and tokens must be at least 1")
    return models()[job.model], cards()[job.card]


def _one_run(job: Job, model: Model, card: Card) -> list[Step]:
    """Every way we have to say how long one run takes, in seconds on this card."""
    units = job.amount * (job.passes if model.unit == "examples" else 1)
    found = [
        _formula(job, model, card, units, percent)
        for percent in (model.good_percent, model.poor_percent)
        if percent is not None
    ]
    found += [
        _measured(model, card, units, rate)
        for rate in (model.measured_low_seconds, model.measured_seconds)
        if rate is not None
    ]
    if model.tokens_per_second is not None:
        rate = job.tokens_each * 1000 / model.tokens_per_second
        found.append(_measured(model, card, units, rate))
    return found


def _formula(job: Job, model: Model, card: Card, units: int, percent: int) -> Step:
    tokens = units * job.tokens_each
    work = model.operations * model.parameters * tokens
    speed = Fraction(card.peak_tflops * 10**12 * percent, 100)
    values = {"parameters": model.parameters, "operations": model.operations, "tokens": tokens}
    values |= {"tokens_each": job.tokens_each, "peak_tflops": card.peak_tflops, "percent": percent}
    return Step(kind="formula", values=values, result=work / speed, unit="seconds")


def _measured(model: Model, card: Card, units: int, seconds_per_1000: Fraction) -> Step:
    # Another card than the measured one: scaled by peak speed, the best guess there is.
    measured_on = cards()[model.measured_on or card.key]
    scale = Fraction(measured_on.peak_tflops, card.peak_tflops)
    values: dict[str, int | str | Fraction] = {"units": units, "unit": model.unit, "scale": scale}
    values |= {"seconds_per_1000": seconds_per_1000, "measured_on": measured_on.name}
    return Step(
        kind="measured", values=values, result=units * seconds_per_1000 * scale / 1000, unit="seconds"
    )


def _ask_step(high: Fraction, ask: int) -> Step:
    values: dict[str, int | str | Fraction] = {
        "seconds": high,
        "tries": TRIES,
        "interruptions": INTERRUPTIONS,
    }
    return Step(kind="ask", values=values, result=Fraction(ask), unit="seconds")


def _cheaper(job: Job, model: Model, card: Card, ask: int, ask_in_batches: int) -> list[Route]:
    """The ladder of advice from its lowest step: an existing model, prompting, then each smaller training."""
    if model.unit == "answers":
        options: list[tuple[str, str | None, int]] = [("batches", None, ask_in_batches)]
    else:
        options = [("existing_model", None, 0), ("prompting", None, 0)]
    if model.unit == "audio_hours":
        options.pop()
    for other in models().values():
        if other.unit == model.unit and other.rung < model.rung:
            high = max(step.result for step in _one_run(job, other, card))
            options.append(("smaller_model", other.key, suggest_seconds(high)))
    return [_route(job, card, ask, option) for option in options if option[2] < ask]


def _route(job: Job, card: Card, ask: int, option: tuple[str, str | None, int]) -> Route:
    kind, model, cheaper_ask = option
    saves = ask - cheaper_ask
    grams = _half_up(carbon_step(job, card, saves).result)
    return Route(kind=kind, model=model, ask_seconds=cheaper_ask, saves_seconds=saves, saves_grams=grams)


def _step_of(hours: Fraction) -> int:
    return next((step for below, step in STEPS_OF_HOURS if hours < below), STEP_OF_MANY_HOURS)


def _round_up(seconds: Fraction) -> int:
    """Up to whole hours, fives, tens or fifties, by size; at least one hour."""
    step = _step_of(seconds / HOUR)
    return max(1, ceil(seconds / (HOUR * step))) * step * HOUR


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))
