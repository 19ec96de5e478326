"""The report of one award in words: what was promised beside what came of it, on one page. Called by report_words."""

from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allocation import report_parts as parts
from allocation.report_parts import Figures, count, percent
from grants.countries import country_name
from grants.questions import SHARES, labels
from portal.lib.dates import parse_zone, say_day
from portal.lib.hours import say_hours
from portal.lib.paper import Figure, Section, Table

MOST_BARS = 5  # the page is one page


def about(figures: Figures) -> str:
    award = figures["award"]
    who = [parts.group(award["group"])]
    if award["country"]:
        who.append(country_name(award["country"]))
    return _("Award %(award)s · %(group)s · call “%(call)s”") % {
        "award": award["award"],
        "group": ", ".join(who),
        "call": figures["call"]["title"],
    }


def award_parts(figures: Figures) -> dict[str, Any]:
    """Everything of the page but what all reports share."""
    award = figures["award"]
    left = award["awarded"] - award["used"] - award["returned"]
    return {
        "heading": award["title"],
        "figures": (
            Figure(say_hours(award["awarded"]), _("GPU-hours awarded")),
            Figure(say_hours(award["used"]), _("GPU-hours used")),
            Figure(say_hours(max(left, 0)), _("GPU-hours left")),
            Figure(_("%(kg)s kg") % {"kg": parts.carbon(figures)}, _("CO₂e, estimated")),
        ),
        "sentences": (" ".join((_summary(figures), *parts.simulated(figures))),),
        "sections": (
            Section(_("Promise and result"), (_goals(award),), tables=(_promise_and_result(figures),)),
            parts.use_section(figures, awarded=award["awarded"], most=MOST_BARS),
            Section(_("How it goes"), _note(figures["progress_note"]), is_half=True),
            Section(_("Energy and name"), (parts.energy_words(figures), _named_as(figures)), is_half=True),
        ),
    }


def _summary(figures: Figures) -> str:
    award, zone = figures["award"], parse_zone(figures["call"]["zone"])
    told = _("%(group)s used %(part)s of the hours in %(jobs)s. The hours run from %(start)s to %(end)s.") % {
        "group": parts.group(award["group"]),
        "part": percent(award["used"], award["awarded"]),
        "jobs": ngettext("%(n)s job", "%(n)s jobs", figures["jobs"]) % {"n": count(figures["jobs"])},
        "start": say_day(parts.instant(award["starts_at"]), zone),
        "end": say_day(parts.instant(award["ends_at"]), zone),
    }
    if not award["returned"]:
        return told
    back = _("%(hours)s hours went back to the pool.") % {"hours": say_hours(award["returned"])}
    return f"{told} {back}"


def _note(text: str) -> tuple[str, ...]:
    """The group's own three lines: what worked, what did not, what comes next."""
    return tuple(text.splitlines()) or (_("No progress note was written yet."),)


def _goals(award: Figures) -> str:
    if not award["goal"]:
        return _("No main goal was named.")
    if not award["other_goals"]:
        return _("Main goal: %(goal)s.") % {"goal": parts.goal(award["goal"])}
    others = ", ".join(parts.goal(number) for number in award["other_goals"])
    return _("Main goal: %(goal)s. Also served: %(others)s.") % {
        "goal": parts.goal(award["goal"]),
        "others": others,
    }


def _promise_and_result(figures: Figures) -> Table:
    """What a group reached is told by the group; until it was, the table says so."""
    award, promise = figures["award"], figures["promise"]
    told_by = promise["month"] or award["ends_at"]
    is_due = told_by[:10] <= figures["cutoff_at"][:10]
    waiting = _("not told yet") if is_due else _("not due yet")
    shared = ", ".join(labels(SHARES, promise["shares"])) or _("nothing was named")
    return Table(
        _("Promise and result"),
        (_("What"), _("Promised"), _("Reached")),
        ((_("Change"), _change(promise), waiting), (_("Shared"), shared, waiting)),
        numbers_from=3,
        is_caption_hidden=True,
    )


def _change(promise: Figures) -> str:
    if promise["number"] is None:
        return promise["text"] or _("No number was promised.")
    told = _("%(number)s %(unit)s") % {"number": count(promise["number"]), "unit": promise["unit"]}
    month = parse_date(promise["month"] or "")
    if month is None:
        return told
    return _("%(what)s by %(month)s") % {"what": told, "month": formats.date_format(month, "F Y")}


def _named_as(figures: Figures) -> str:
    return _(
        "To be named as: “Computed on hours given by %(funder)s through Openhours, award %(award)s.”"
    ) % {
        "funder": figures["funder"],
        "award": figures["award"]["award"],
    }
