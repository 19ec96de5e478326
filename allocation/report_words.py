"""Turns the figures of a report into a page's parts in one language; templates/report/ shows them as page and PDF.

Called by allocation.reports with the language switched on. Every number stands in the data: nothing is counted here.
"""

from collections.abc import Iterator
from typing import Any

from django.utils import formats
from django.utils.translation import get_language, get_language_bidi, ngettext
from django.utils.translation import gettext as _

from allocation import report_parts as parts
from allocation import report_words_award
from allocation.figures import OTHERS
from allocation.report_parts import Figures, count, percent
from grants.countries import country_name
from grants.questions import GROUP_KINDS, labels
from grants.sdg import BY_NUMBER
from portal.lib.dates import parse_zone, say_day
from portal.lib.hours import say_hours
from portal.lib.paper import Figure, Link, Report, SdgBars, SdgRow, Section, Table


def report(figures: Figures, digest: str, *, files: tuple[Link, ...] = ()) -> Report:
    """The whole report of a call or an award."""
    is_call = figures["kind"] == "call"
    zone = parse_zone(figures["call"]["zone"])
    return Report(
        about=_about(figures) if is_call else report_words_award.about(figures),
        files=files,
        language=get_language() or "en",
        is_rtl=get_language_bidi(),
        cutoff_at=figures["cutoff_at"],
        cutoff_text=say_day(parts.instant(figures["cutoff_at"]), zone),
        digest=digest,
        method=parts.method(figures),
        **(_call_parts(figures) if is_call else report_words_award.award_parts(figures)),
    )


def _about(figures: Figures) -> str:
    funders = sorted({pool["funder"] for pool in figures["pools"]})
    return _("Report to %(funders)s · call “%(call)s”") % {
        "funders": ", ".join(funders),
        "call": figures["call"]["title"],
    }


def _call_parts(figures: Figures) -> dict[str, Any]:
    hours, applied = figures["gpu_seconds"], figures["applications"]
    return {
        "heading": _("%(offered)s hours, %(awards)s, %(used)s used")
        % {
            "offered": say_hours(hours["offered"]),
            "awards": ngettext("%(n)s award", "%(n)s awards", applied["awarded"])
            % {"n": count(applied["awarded"])},
            "used": percent(hours["used"], hours["awarded"]),
        },
        "figures": (
            Figure(say_hours(hours["asked"]), _asked_by(applied["eligible"])),
            Figure(say_hours(hours["awarded"]), _("GPU-hours awarded")),
            Figure(say_hours(hours["used"]), _("GPU-hours used")),
            Figure(
                _("%(some)s of %(all)s")
                % {"some": count(applied["first_timers"]), "all": count(applied["awarded"])},
                _("awards to groups that had none here before"),
            ),
        ),
        "sentences": (_summary(figures), *parts.simulated(figures)),
        "sections": tuple(_sections(figures)),
    }


def _sections(figures: Figures) -> Iterator[Section]:
    hours = figures["gpu_seconds"]
    yield parts.use_section(figures, awarded=hours["awarded"], offered=hours["offered"])
    yield _goals(figures)
    yield _pools(figures)
    yield _applications(figures)
    yield _hours(figures)
    yield _places(figures)
    yield _decided(figures)
    if figures["scores"]:
        yield Section(_("Mean scores"), tables=(_scores(figures),), is_half=True)
    energy = (parts.energy_words(figures), *parts.simulated(figures))
    yield Section(_("Energy"), energy, is_half=True)
    yield _awards(figures)


def _asked_by(number: int) -> str:
    return ngettext("GPU-hours asked for by %(n)s group", "GPU-hours asked for by %(n)s groups", number) % {
        "n": count(number)
    }


def _summary(figures: Figures) -> str:
    applied, hours, days = figures["applications"], figures["gpu_seconds"], figures["days"]
    if figures["lot"]["run"] is None:
        return _("Nothing was decided up to this day.")
    told = [
        _("%(awarded)s of %(eligible)s applications that fit the call were funded (%(part)s).")
        % {
            "awarded": count(applied["awarded"]),
            "eligible": count(applied["eligible"]),
            "part": percent(applied["awarded"], applied["eligible"]),
        },
        ngettext(
            "Decisions came %(n)s day after the close.",
            "Decisions came %(n)s days after the close.",
            days["close_to_decision"],
        )
        % {"n": count(days["close_to_decision"])},
        _("%(used)s of the awarded hours are used; %(reserved)s hours are reserved for later.")
        % {"used": percent(hours["used"], hours["awarded"]), "reserved": say_hours(hours["reserved"])},
    ]
    return " ".join(told)


def _goals(figures: Figures) -> Section:
    """Bars by principal goal; what named no goal is told apart, so that the rows add up to the total."""
    rows = tuple(
        SdgRow(
            goal=row["goal"],
            name=str(BY_NUMBER[row["goal"]].name),
            groups=row["awards"],
            awarded=row["awarded"],
            used=row["used"],
            awarded_text=say_hours(row["awarded"]),
            used_text=say_hours(row["used"]),
        )
        for row in figures["by_goal"]
        if row["goal"] and row["awards"]
    )
    without = [row for row in figures["by_goal"] if not row["goal"] and row["awards"]]
    told = tuple(
        ngettext(
            "%(n)s award of %(hours)s hours (%(used)s used) named no main goal; the sums hold it.",
            "%(n)s awards of %(hours)s hours (%(used)s used) named no main goal; the sums hold them.",
            row["awards"],
        )
        % {"n": count(row["awards"]), "hours": say_hours(row["awarded"]), "used": say_hours(row["used"])}
        for row in without
    )
    hours, number = figures["gpu_seconds"], figures["applications"]["awarded"]
    total = (count(number), say_hours(hours["awarded"]), say_hours(hours["used"]))
    bars = SdgBars(_("Each award counted once, under its principal goal"), rows, total)
    return Section(_("By principal goal"), told, sdg=bars if number else None)


def _pools(figures: Figures) -> Section:
    rows = tuple(
        (
            f"{pool['funder']}: {pool['gpu_type']}",
            *(say_hours(pool[name]) for name in ("offered", "awarded", "used", "left")),
        )
        for pool in figures["pools"]
    )
    headers = (_("Pool"), _("Offered"), _("Awarded"), _("Used"), _("Left"))
    return Section(_("Pools"), tables=(Table(_("Hours by pool"), headers, rows),), starts_page=True)


def _applications(figures: Figures) -> Section:
    applied = figures["applications"]
    names = {
        "sent": _("Sent"),
        "withdrawn": _("Withdrawn"),
        "ineligible": _("Did not fit the call"),
        "fundable": _("Fundable"),
        "awarded": _("Funded"),
        "accepted": _("Accepted"),
    }
    rows = tuple((words, count(applied[name])) for name, words in names.items())
    return Section(_("Applications"), tables=(_pairs(_("How many"), rows),), is_half=True)


def _hours(figures: Figures) -> Section:
    hours = figures["gpu_seconds"]
    names = {
        "asked": _("Asked for"),
        "awarded": _("Awarded"),
        "accepted": _("Accepted"),
        "used": _("Used"),
        "reserved": _("Reserved for later"),
        "returned": _("Gone back to the pool"),
    }
    rows = tuple((words, say_hours(hours[name])) for name, words in names.items())
    return Section(_("Hours"), tables=(_pairs(_("GPU-hours"), rows),), is_half=True)


def _pairs(caption: str, rows: tuple[tuple[str, str], ...]) -> Table:
    return Table(caption, (_("What"), _("Number")), rows)


def _places(figures: Figures) -> Section:
    headers = (_("Applications"), _("Awards"), _("Hours awarded"), _("Hours used"))

    def cells(row: Figures) -> tuple[str, ...]:
        numbers = (count(row["applications"]), count(row["awards"]))
        return (*numbers, say_hours(row["awarded"]), say_hours(row["used"]))

    countries = tuple((_country(row["country"]), *cells(row)) for row in figures["by_country"])
    kinds = tuple((_kind(row["kind"]), *cells(row)) for row in figures["by_kind"])
    goals = tuple(
        (
            parts.goal(row["goal"]),
            *(count(row[name]) for name in ("applications", "awards", "awards_significant")),
        )
        for row in figures["by_goal"]
    )
    of_goals = (_("Goal"), _("Applications"), _("Awards, as main goal"), _("Awards, as a further goal"))
    return Section(
        _("Where, who and for which goal"),
        tables=(
            Table(_("By country"), (_("Country"), *headers), countries),
            Table(_("By kind of group"), (_("Kind"), *headers), kinds),
            Table(_("By goal: main goals and further ones"), of_goals, goals),
        ),
    )


def _country(code: str) -> str:
    if code == OTHERS:
        return _("Others, of which none was funded")
    return country_name(code) if code else _("not told")


def _kind(key: str) -> str:
    if key == OTHERS:
        return _("Others, of which none was funded")
    return ", ".join(map(str, labels(GROUP_KINDS, [key]))) if key else _("not told")


def _decided(figures: Figures) -> Section:
    told = [" ".join(_reviewing(figures["review"]))]
    lot = figures["lot"]
    if lot["run"]:
        run = (
            _("Run %(run)s can be computed again from its public bundle (input %(input)s…).")
            % {"run": lot["run"], "input": lot["input_sha256"][:12]},
            _(
                "Ties go by lot. The hash of its secret, published before the close, is %(secret)s…; the seed made "
                "of the secret and all receipts is %(seed)s…"
            )
            % {"secret": lot["secret_sha256"][:12], "seed": lot["seed"][:12]},
        )
        told.append(" ".join(run))
        if not figures["scores"]:
            told.append(_("Too few applications have scores to show how they spread."))
    return Section(_("How it was decided"), tuple(told))


def _reviewing(review: Figures) -> Iterator[str]:
    reviews = ngettext("%(n)s review", "%(n)s reviews", review["reviews"]) % {"n": count(review["reviews"])}
    reviewers = ngettext("%(n)s reviewer", "%(n)s reviewers", review["reviewers"]) % {
        "n": count(review["reviewers"])
    }
    yield _("%(reviews)s by %(reviewers)s.") % {"reviews": reviews, "reviewers": reviewers}
    if review["recusals"]:
        yield ngettext(
            "A reviewer stood back from an application %(n)s time.",
            "Reviewers stood back from applications %(n)s times.",
            review["recusals"],
        ) % {"n": count(review["recusals"])}
    else:
        yield _("No reviewer had to stand back from an application.")


def _scores(figures: Figures) -> Table:
    def score(thousandths: int) -> str:
        return formats.number_format(thousandths / 1000, 1)

    rows = tuple(
        (f"{score(row['from_thousandths'])} – {score(row['to_thousandths'])}", count(row["applications"]))
        for row in figures["scores"]
    )
    return Table(_("Mean scores"), (_("Mean from, to"), _("Applications")), rows, is_caption_hidden=True)


def _awards(figures: Figures) -> Section:
    rows = tuple(
        (
            award["award"],
            parts.group(award["group"]),
            award["title"],
            say_hours(award["awarded"]),
            say_hours(award["used"]),
        )
        for award in figures["awards"]
    )
    if not rows:
        return Section(_("All awards"), (_("No award was made up to this day."),))
    headers = (_("Award"), _("Group"), _("What it is for"), _("Awarded"), _("Used"))
    table = Table(_("All awards"), headers, rows, numbers_from=3, is_caption_hidden=True)
    return Section(_("All awards"), tables=(table,))
