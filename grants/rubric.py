"""Criteria, anchored words and the arithmetic of scores. Pure; called by calls, reviews and the ranking.

Scores are whole numbers 0 to 5. Every mean is exact (fractions) and rounded once, at the end, to thousandths,
half to even. Thresholds are compared with these thousandths, so that anyone can check what is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, gettext_noop

LEAST, MOST = 0, 5
LEAST_MEAN_THOUSANDTHS = 3000
LEAST_SCORES_APART = 2
LEAST_TOTALS_APART_THOUSANDTHS = 1000
TIE_CRITERION = "sdg"
GATE = "harm"
HARM_PASS, HARM_SAFEGUARDS, HARM_STOP = "pass", "safeguards", "stop"
HARM_CHOICES: tuple[tuple[str, str | Promise], ...] = (
    (HARM_PASS, gettext_lazy("Pass")),
    (HARM_SAFEGUARDS, gettext_lazy("Pass with safeguards")),
    (HARM_STOP, gettext_lazy("Stop and tell the chair")),
)

Method = Literal["mean", "median"]


@dataclass(frozen=True)
class CriterionPreset:
    """One line of a rubric as plain data: a call copies it into a row, where the chair may change it.

    Names and anchors are English source texts; `shown` translates them as long as nobody has changed them.
    """

    key: str
    name: str
    question: str
    weight: int
    floor: int = 0
    is_gate: bool = False
    anchors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why an application is not fundable: kind is below_mean, below_floor or harm_stop."""

    kind: str
    criterion: str | None = None
    had_thousandths: int | None = None
    needed_thousandths: int | None = None


@dataclass(frozen=True)
class Combined:
    """All reviews of one application as one: thousandths in total and per criterion."""

    total_thousandths: int
    by_criterion: Mapping[str, int]

    @property
    def tie_thousandths(self) -> int:
        """Equal totals: the higher SDG score goes first."""
        return self.by_criterion.get(TIE_CRITERION, 0)


@dataclass(frozen=True)
class Verdict:
    is_fundable: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Disagreement:
    """Two reviews that differ too much: on one criterion, or in total (criterion None)."""

    criterion: str | None
    apart_thousandths: int


STANDARD_CRITERIA: tuple[CriterionPreset, ...] = (
    CriterionPreset(
        key="sdg",
        name=gettext_noop("SDG change"),
        question=gettext_noop("What changes, and how much?"),
        weight=25,
        floor=2,
        anchors={
            "0": gettext_noop("No goal"),
            "1": gettext_noop("A goal is named, but nothing links the work to it"),
            "3": gettext_noop("Plausible steps towards a target, with a number"),
            "5": gettext_noop("A clear chain, measurable and dated; people are waiting for it"),
        },
    ),
    CriterionPreset(
        key="people",
        name=gettext_noop("People"),
        question=gettext_noop("Who is helped?"),
        weight=20,
        anchors={
            "0": gettext_noop("Nobody is named"),
            "1": gettext_noop("A vague public"),
            "3": gettext_noop("A named group that is badly served"),
            "5": gettext_noop("A group that is hardly served at all; we know where, and hear it speak"),
        },
    ),
    CriterionPreset(
        key="feasibility",
        name=gettext_noop("Feasibility"),
        question=gettext_noop("Can this group do it with what it has?"),
        weight=20,
        floor=2,
        anchors={
            "0": gettext_noop("It cannot run"),
            "1": gettext_noop("A key part is missing"),
            "3": gettext_noop("Data or a plan are there, with some gaps"),
            "5": gettext_noop("A working prototype, data in hand, risks thought of"),
        },
    ),
    CriterionPreset(
        key="ownership",
        name=gettext_noop("Ownership and openness"),
        question=gettext_noop("Who owns the data and the result, and who else may use them?"),
        weight=15,
        anchors={
            "0": gettext_noop("Taken from people without rights"),
            "1": gettext_noop("Rights are unclear"),
            "3": gettext_noop("Rights are clear, and something is shared"),
            "5": gettext_noop("The community governs its data; an open model or data in a local language"),
        },
    ),
    CriterionPreset(
        key="frugality",
        name=gettext_noop("Frugality and carbon"),
        question=gettext_noop("Does the ask fit the job?"),
        weight=10,
        anchors={
            "0": gettext_noop("The ask is not explained"),
            "1": gettext_noop("More than three times the estimate"),
            "3": gettext_noop("Within the estimate"),
            "5": gettext_noop("A smaller way was tried; jobs save their state; others can reuse the result"),
        },
    ),
    CriterionPreset(
        key="additionality",
        name=gettext_noop("Additionality"),
        question=gettext_noop("Could they get the hours elsewhere?"),
        weight=10,
        anchors={
            "0": gettext_noop("Well funded elsewhere"),
            "1": gettext_noop("Probably available elsewhere"),
            "3": gettext_noop("Hard to get"),
            "5": gettext_noop("There is no other way"),
        },
    ),
    CriterionPreset(
        key=GATE,
        name=gettext_noop("Harm"),
        question=gettext_noop("Could it hurt somebody?"),
        weight=0,
        is_gate=True,
    ),
)


def shown(text: str) -> str:
    """A name or an anchor in the reader's language; a text that a chair wrote comes back as it is."""
    return gettext(text) if text else ""


def anchor_words(anchors: Mapping[str, str]) -> list[tuple[int, str]]:
    """The words under each score from 0 to 5; a score without words lies between its neighbours."""
    return [
        (score, shown(anchors.get(str(score), "")) or _between(score)) for score in range(LEAST, MOST + 1)
    ]


def _between(score: int) -> str:
    return gettext("Between %(low)s and %(high)s") % {"low": score - 1, "high": score + 1}


def weighted_mean_thousandths(scores: Mapping[str, int], weights: Mapping[str, int]) -> int:
    """One reviewer's total: the weighted mean of the scores in thousandths, rounded half to even."""
    return round(
        _weighted({key: Fraction(score) for key, score in _checked(scores, weights).items()}, weights) * 1000
    )


def combine(
    reviews: Sequence[Mapping[str, int]], weights: Mapping[str, int], *, method: Method = "mean"
) -> Combined:
    """Several reviews as one: the mean of each criterion (or its median), then the weights."""
    if not reviews:
        raise ValueError("There is no review to combine")
    checked = [_checked(review, weights) for review in reviews]
    middle = {key: _middle([review[key] for review in checked], method) for key in weights}
    return Combined(
        total_thousandths=round(_weighted(middle, weights) * 1000),
        by_criterion={key: round(value * 1000) for key, value in middle.items()},
    )


def is_fundable(
    combined: Combined,
    floors: Mapping[str, int],
    *,
    harm: str = HARM_PASS,
    least_mean_thousandths: int = LEAST_MEAN_THOUSANDTHS,
) -> Verdict:
    """Whether hours may go to this application, and each reason why not. Floors are scores, 0 for none."""
    reasons = []
    if harm == HARM_STOP:
        reasons.append(Reason("harm_stop", criterion=GATE))
    if combined.total_thousandths < least_mean_thousandths:
        reasons.append(Reason("below_mean", None, combined.total_thousandths, least_mean_thousandths))
    for key, least in floors.items():
        had = combined.by_criterion[key]
        if had < least * 1000:
            reasons.append(Reason("below_floor", key, had, least * 1000))
    return Verdict(is_fundable=not reasons, reasons=tuple(reasons))


def disagreements(
    reviews: Sequence[Mapping[str, int]], weights: Mapping[str, int]
) -> tuple[Disagreement, ...]:
    """Where a third reviewer is asked: a criterion differs by 2 or more, or the totals by 1.0 or more."""
    if len(reviews) < 2:
        return ()
    found = []
    for key in weights:
        scores = [review[key] for review in reviews]
        if max(scores) - min(scores) >= LEAST_SCORES_APART:
            found.append(Disagreement(key, (max(scores) - min(scores)) * 1000))
    totals = [weighted_mean_thousandths(review, weights) for review in reviews]
    if max(totals) - min(totals) >= LEAST_TOTALS_APART_THOUSANDTHS:
        found.append(Disagreement(None, max(totals) - min(totals)))
    return tuple(found)


def _weighted(values: Mapping[str, Fraction], weights: Mapping[str, int]) -> Fraction:
    return sum((values[key] * weight for key, weight in weights.items()), Fraction(0)) / sum(weights.values())


def _middle(scores: Sequence[int], method: Method) -> Fraction:
    exact = [Fraction(score) for score in scores]
    return median(exact) if method == "median" else sum(exact, Fraction(0)) / len(exact)


def _checked(scores: Mapping[str, int], weights: Mapping[str, int]) -> Mapping[str, int]:
    if sum(weights.values()) <= 0 or min(weights.values()) < 0:
        raise ValueError("Weights must not be negative, and one must count")
    missing = [key for key in weights if key not in scores]
    if missing:
        raise ValueError(f"No score for {', '.join(missing)}")
    if any(not LEAST <= scores[key] <= MOST for key in weights):
        raise ValueError("Scores go from 0 to 5")
    return scores
