"""Reasons as words: the engine and the ranking give data, a person reads a sentence in their language.

Called by the decision page and its mail (spoken to the applicant) and by the chair's pages (spoken about
them).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import get_format
from django.utils.translation import gettext as _

from allocation.models import Outcome
from grants.rubric import shown
from portal.lib.hours import say_hours

Reason = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the sentences are about: one application, the names of criteria by key and of pools by id."""

    score: int
    minimum: int
    ask: int
    got: int
    criteria: Mapping[str, str]
    pools: Mapping[str, str]

    def hours(self, gpu_seconds: Any) -> str:
        return say_hours(int(gpu_seconds or 0))

    def pool(self, key: Any) -> str:
        return self.pools.get(str(key), _("the pool"))


def say_score(thousandths: int) -> str:
    """4125 as "4.125", 4000 as "4.0", in the language's own writing."""
    text = f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0")
    return (text + "0" if text.endswith(".") else text).replace(".", get_format("DECIMAL_SEPARATOR"))


def rule_words(rule: str) -> str:
    """What a rule does, in one line."""
    said = {
        "rank-and-cut": _("By rank: from the top, each gets what fits"),
        "score-maximising": _("The most score for the hours"),
        "bands-and-lot": _("Bands: A is funded, B is drawn by lot"),
        "equal-shares": _("Every voter decides over an equal part"),
    }
    return said.get(rule, rule)


def outcome_words(outcome: str, facts: Facts) -> str:
    """The first thing that an applicant reads."""
    if outcome == Outcome.AWARDED:
        return _("You get %(hours)s hours") % {"hours": facts.hours(facts.got)}
    if outcome == Outcome.WAITING:
        return _("You are on the waiting list")
    return _("No hours could be given this time")


def to_applicant(reasons: Iterable[Reason], facts: Facts) -> list[str]:
    """Why it came out so, spoken to the applicant."""
    return _said(reasons, facts, TO_APPLICANT)


def to_chair(reasons: Iterable[Reason], facts: Facts) -> list[str]:
    """The same, short, spoken about the application."""
    return _said(reasons, facts, TO_CHAIR)


def what_was_needed(reasons: Iterable[Reason], facts: Facts) -> list[str]:
    """What would have been enough. Each was confirmed by the engine; none is a guess."""
    said = []
    for reason in reasons:
        if reason["kind"] != "would_be_funded_if":
            continue
        if "score" in reason:
            said.append(
                _("A score of %(score)s instead of %(had)s.")
                % {"score": say_score(reason["score"]), "had": say_score(facts.score)}
            )
        elif "minimum" in reason:
            said.append(
                _("A smallest useful amount of %(hours)s hours instead of %(had)s.")
                % {"hours": facts.hours(reason["minimum"]), "had": facts.hours(facts.minimum)}
            )
        elif "ask" in reason:
            said.append(
                _("An ask of %(hours)s hours instead of %(had)s.")
                % {"hours": facts.hours(reason["ask"]), "had": facts.hours(facts.ask)}
            )
    return said


def _said(reasons: Iterable[Reason], facts: Facts, table: Mapping[str, "Sentence"]) -> list[str]:
    listed = list(reasons)
    # Where the ranking says which floor was missed, the engine's "some floor" adds nothing.
    is_explained = any(each["kind"] in EXPLAINS for each in listed)
    return [
        table[reason["kind"]](reason, facts)
        for reason in listed
        if reason["kind"] in table and not (is_explained and reason["kind"] == "not_fundable")
    ]


Sentence = Callable[[Reason, Facts], str]
EXPLAINS = ("below_mean", "below_floor", "harm_stop", "no_review")


def _criterion(reason: Reason, facts: Facts) -> str:
    return shown(facts.criteria.get(str(reason.get("criterion")), ""))


TO_APPLICANT: dict[str, Sentence] = {
    "funded_whole": lambda reason, facts: (
        _("You asked for %(ask)s hours and get all of them.") % {"ask": facts.hours(facts.ask)}
    ),
    "funded_in_part": lambda reason, facts: (
        _("You asked for %(ask)s hours; %(got)s of them could be given.")
        % {"ask": facts.hours(facts.ask), "got": facts.hours(facts.got)}
    ),
    "pool_empty": lambda reason, facts: (
        _(
            "When your turn came, %(left)s hours were left in %(pool)s. Your smallest useful amount was %(least)s."
        )
        % {
            "left": facts.hours(reason["left"]),
            "pool": facts.pool(reason["pool"]),
            "least": facts.hours(reason["minimum"]),
        }
    ),
    "earmark_elsewhere": lambda reason, facts: (
        _(
            "%(held)s of the hours left in %(pool)s were kept for a purpose that your application does not have."
        )
        % {"held": facts.hours(reason["held"]), "pool": facts.pool(reason["pool"])}
    ),
    "cap": lambda reason, facts: (
        _("There is a limit for each group in this call; %(left)s hours of yours were left.")
        % {"left": facts.hours(reason["left"])}
    ),
    "share_full": lambda reason, facts: _("The part of the hours that was open to you was given already."),
    "not_fundable": lambda reason, facts: _("The scores were under what this call needs."),
    "below_mean": lambda reason, facts: (
        _("Your mean score was %(had)s; this call needs %(needed)s.")
        % {"had": say_score(reason["had"]), "needed": say_score(reason["needed"])}
    ),
    "below_floor": lambda reason, facts: (
        _("Your score for “%(criterion)s” was %(had)s; this call needs %(needed)s there.")
        % {
            "criterion": _criterion(reason, facts),
            "had": say_score(reason["had"]),
            "needed": say_score(reason["needed"]),
        }
    ),
    "harm_stop": lambda reason, facts: _(
        "A reviewer saw that the work could hurt people, so no hours may go to it as it is."
    ),
    "no_review": lambda reason, facts: _("No review came in for it, so it could not be funded."),
    "ineligible": lambda reason, facts: _("Your application did not fit the rules of the call."),
    "band_c": lambda reason, facts: _("Your scores were in the band that gets no hours in this call."),
    "lot": lambda reason, facts: (
        _("A lot decided among equals: you were drawn at place %(place)s, and %(drawn)s were drawn in all.")
        % {"place": reason["place"], "drawn": reason["drawn"]}
    ),
    "outscored": lambda reason, facts: (
        _("The last one before you that took hours you could have used had a score of %(threshold)s.")
        % {"threshold": say_score(reason["threshold"])}
    ),
}

TO_CHAIR: dict[str, Sentence] = {
    "funded_whole": lambda reason, facts: _("Whole ask."),
    "funded_in_part": lambda reason, facts: _("In part, step %(step)s of 4.") % {"step": reason["step"]},
    "pool_empty": lambda reason, facts: (
        _("%(left)s hours left in %(pool)s; needs %(least)s.")
        % {
            "left": facts.hours(reason["left"]),
            "pool": facts.pool(reason["pool"]),
            "least": facts.hours(reason["minimum"]),
        }
    ),
    "earmark_elsewhere": lambda reason, facts: (
        _("%(held)s hours of %(pool)s are earmarked for others.")
        % {"held": facts.hours(reason["held"]), "pool": facts.pool(reason["pool"])}
    ),
    "cap": lambda reason, facts: (
        _("Limit of the group: %(left)s hours left.") % {"left": facts.hours(reason["left"])}
    ),
    "share_full": lambda reason, facts: _("Share %(share)s is full.") % {"share": reason["share"]},
    "not_fundable": lambda reason, facts: _("Under a floor."),
    "below_mean": lambda reason, facts: (
        _("Mean %(had)s is under %(needed)s.")
        % {"had": say_score(reason["had"]), "needed": say_score(reason["needed"])}
    ),
    "below_floor": lambda reason, facts: (
        _("%(criterion)s %(had)s is under %(needed)s.")
        % {
            "criterion": _criterion(reason, facts),
            "had": say_score(reason["had"]),
            "needed": say_score(reason["needed"]),
        }
    ),
    "harm_stop": lambda reason, facts: _("Harm: a reviewer said stop."),
    "no_review": lambda reason, facts: _("No review."),
    "ineligible": lambda reason, facts: _("Does not fit the call."),
    "band_c": lambda reason, facts: _("Band C."),
    "lot": lambda reason, facts: (
        _("Drawn at place %(place)s of %(drawn)s.") % {"place": reason["place"], "drawn": reason["drawn"]}
    ),
    "outscored": lambda reason, facts: (
        _("Outscored at %(threshold)s.") % {"threshold": say_score(reason["threshold"])}
    ),
    "would_be_funded_if": lambda reason, facts: _would_be(reason, facts),
}


def _would_be(reason: Reason, facts: Facts) -> str:
    said = what_was_needed([reason], facts)
    return _("Enough: %(what)s") % {"what": said[0]} if said else ""
