"""Turns the figures of a report into a page's parts in one language; templates/report/ shows them as page and PDF.

Called by allocation.reports with the language switched on. Every number stands in the data: nothing is counted here.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, get_language_bidi, ngettext
from django.utils.translation import gettext as _

from grants.countries import country_name
from grants.questions import GROUP_KINDS, labels
from grants.sdg import BY_NUMBER
from portal.lib.charts import Datum
from portal.lib.dates import parse_zone, say_day, say_instant
from portal.lib.hours import say_hours
from portal.lib.paper import Chart, Figure, Link, Report, SdgBars, SdgRow, Section, Table

Figures = dict[str, Any]


def report(figures: Figures, digest: str, *, files: tuple[Link, ...] = ()) -> Report:
    """The whole report of a call or an award."""
    zone = figures["call"]["zone"]
    parts = _call_parts(figures) if figures["kind"] == "call" else _award_parts(figures)
    return Report(
        about=_about(figures),
        files=files,
        language=get_language() or "en",
        is_rtl=get_language_bidi(),
        cutoff_at=figures["cutoff_at"],
        cutoff_text=say_day(_instant(figures["cutoff_at"]), parse_zone(zone)),
        digest=digest,
        method=_method(figures),
        **parts,
    )


def _about(figures: Figures) -> str:
    call = figures["call"]
    if figures["kind"] == "award":
        return _("Award %(award)s · call “%(call)s”") % {
            "award": figures["award"]["award"],
            "call": call["title"],
        }
    funders = sorted({pool["funder"] for pool in figures["pools"]})
    return _("Report to %(funders)s · call “%(call)s”") % {
        "funders": ", ".join(funders),
        "call": call["title"],
    }


def _instant(iso: str) -> Any:
    return parse_datetime(iso)


def percent(part: int, whole: int) -> str:
    """Whole percents, rounded down; a dash where there is nothing to divide."""
    return "–" if not whole else _("%(n)s %%") % {"n": formats.number_format(part * 100 // whole)}


def _count(number: int) -> str:
    return formats.number_format(number, use_l10n=True, force_grouping=True)


def _simulated(figures: Figures) -> tuple[str, ...]:
    if not figures["is_simulated"]:
        return ()
    return (_("The figures of use are simulated: no real cluster ran these jobs."),)


def _call_parts(figures: Figures) -> dict[str, Any]:
    hours, applied = figures["gpu_seconds"], figures["applications"]
    heading = _("%(offered)s hours, %(awards)s, %(used)s used") % {
        "offered": say_hours(hours["offered"]),
        "awards": ngettext("%(n)s award", "%(n)s awards", applied["awarded"])
        % {"n": _count(applied["awarded"])},
        "used": percent(hours["used"], hours["awarded"]),
    }
    return {
        "heading": heading,
        "figures": (
            Figure(say_hours(hours["asked"]), _asked_by(applied["eligible"])),
            Figure(say_hours(hours["awarded"]), _("GPU-hours awarded")),
            Figure(say_hours(hours["used"]), _("GPU-hours used")),
            Figure(
                _("%(some)s of %(all)s")
                % {"some": _count(applied["first_timers"]), "all": _count(applied["awarded"])},
                _("awards to groups that had none here before"),
            ),
        ),
        "sentences": (*_summary(figures), *_simulated(figures)),
        "sections": (
            _use_section(figures, promised=hours["awarded"], capacity=hours["offered"]),
            Section(_("By principal goal"), sdg=_goal_bars(figures)),
            *_details(figures),
        ),
    }


def _asked_by(number: int) -> str:
    return ngettext("GPU-hours asked for by %(n)s group", "GPU-hours asked for by %(n)s groups", number) % {
        "n": _count(number)
    }


def _summary(figures: Figures) -> list[str]:
    applied, hours, days = figures["applications"], figures["gpu_seconds"], figures["days"]
    told = [
        _("%(awarded)s of %(eligible)s applications that fit the call were funded (%(part)s).")
        % {
            "awarded": _count(applied["awarded"]),
            "eligible": _count(applied["eligible"]),
            "part": percent(applied["awarded"], applied["eligible"]),
        }
    ]
    if days["close_to_decision"] is not None:
        told.append(
            ngettext(
                "Decisions came %(n)s day after the close.",
                "Decisions came %(n)s days after the close.",
                days["close_to_decision"],
            )
            % {"n": _count(days["close_to_decision"])}
        )
    told.append(
        _("%(used)s of the awarded hours are used and %(reserved)s hours are reserved.")
        % {"used": percent(hours["used"], hours["awarded"]), "reserved": say_hours(hours["reserved"])}
    )
    return [" ".join(told)]


def _use_section(figures: Figures, *, promised: int, capacity: int | None) -> Section:
    data, total = [], 0
    for week in figures["use_by_week"]:
        total += week["used"]
        label = _("week %(week)s") % {"week": week["week"]}
        data.append(Datum(label, total, say_hours(total)))
    heading = _("Hours used, added up")
    if not data:
        return Section(heading, (_("No hours were used up to this day."),))
    lines = [Datum(_("awarded"), promised, say_hours(promised))]
    if capacity is not None:
        lines.append(Datum(_("offered"), capacity, say_hours(capacity)))
    alt = _("Hours used in total: %(list)s.") % {
        "list": ", ".join(f"{datum.label} {datum.text}" for datum in data)
    }
    chart = Chart("cumulative", tuple(data), alt, (_("By the end of"), _("Hours")), tuple(lines))
    return Section(heading, chart=chart)


def _goal_bars(figures: Figures) -> SdgBars:
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
    hours = figures["gpu_seconds"]
    total = (
        _count(figures["applications"]["awarded"]),
        say_hours(hours["awarded"]),
        say_hours(hours["used"]),
    )
    return SdgBars(_("Each award counted once, under its principal goal"), rows, total)


def _details(figures: Figures) -> Iterable[Section]:
    hours, applied, review = figures["gpu_seconds"], figures["applications"], figures["review"]
    pools = tuple(
        (
            f"{pool['funder']}: {pool['gpu_type']}",
            *(say_hours(pool[name]) for name in ("offered", "awarded", "used", "left")),
        )
        for pool in figures["pools"]
    )
    yield Section(
        _("Pools"),
        tables=(
            Table(_("Hours by pool"), (_("Pool"), _("Offered"), _("Awarded"), _("Used"), _("Left")), pools),
        ),
        starts_page=True,
    )
    yield Section(
        _("Applications"),
        tables=(
            _pairs(
                _("How many"),
                (
                    (_("Sent"), _count(applied["sent"])),
                    (_("Withdrawn"), _count(applied["withdrawn"])),
                    (_("Did not fit the call"), _count(applied["ineligible"])),
                    (_("Fundable"), _count(applied["fundable"])),
                    (_("Funded"), _count(applied["awarded"])),
                    (_("Accepted"), _count(applied["accepted"])),
                ),
            ),
        ),
        is_half=True,
    )
    yield Section(
        _("Hours"),
        tables=(
            _pairs(
                _("GPU-hours"),
                (
                    (_("Offered"), say_hours(hours["offered"])),
                    (_("Asked for"), say_hours(hours["asked"])),
                    (_("Awarded"), say_hours(hours["awarded"])),
                    (_("Used"), say_hours(hours["used"])),
                    (_("Reserved"), say_hours(hours["reserved"])),
                    (_("Gone back to the pool"), say_hours(hours["returned"])),
                ),
            ),
        ),
        is_half=True,
    )
    yield _places(figures)
    yield Section(
        _("How it was decided"),
        (
            _("%(reviews)s reviews by %(reviewers)s reviewers; %(recusals)s times somebody stood back.")
            % {name: _count(review[name]) for name in ("reviews", "reviewers", "recusals")},
            _lot(figures),
        ),
        tables=(_scores(figures),),
    )
    yield _energy(figures)
    yield _awards(figures)


def _pairs(caption: str, rows: tuple[tuple[str, str], ...]) -> Table:
    return Table(caption, (_("What"), _("Number")), rows)


def _places(figures: Figures) -> Section:
    headers = (_("Applications"), _("Awards"), _("Hours awarded"), _("Hours used"))

    def cells(row: Figures) -> tuple[str, ...]:
        numbers = (_count(row["applications"]), _count(row["awards"]))
        return (*numbers, say_hours(row["awarded"]), say_hours(row["used"]))

    countries = tuple(
        (country_name(row["country"]) if row["country"] else _("not told"), *cells(row))
        for row in figures["by_country"]
    )
    kinds = tuple((_kind(row["kind"]), *cells(row)) for row in figures["by_kind"])
    goals = tuple(
        (
            str(BY_NUMBER[row["goal"]]) if row["goal"] else _("not sure"),
            _count(row["applications"]),
            _count(row["awards"]),
            _count(row["awards_significant"]),
        )
        for row in figures["by_goal"]
    )
    return Section(
        _("Where, who and for which goal"),
        tables=(
            Table(_("By country"), (_("Country"), *headers), countries),
            Table(_("By kind of group"), (_("Kind"), *headers), kinds),
            Table(
                _("By goal: main goals and further ones"),
                (_("Goal"), _("Applications"), _("Awards, as main goal"), _("Awards, as a further goal")),
                goals,
            ),
        ),
    )


def _kind(key: str) -> str:
    return ", ".join(map(str, labels(GROUP_KINDS, [key]))) if key else _("not told")


def _scores(figures: Figures) -> Table:
    def score(thousandths: int) -> str:
        return formats.number_format(thousandths / 1000, 1)

    rows = tuple(
        (f"{score(row['from_thousandths'])} – {score(row['to_thousandths'])}", _count(row["applications"]))
        for row in figures["scores"]
    )
    return Table(_("Mean scores"), (_("Mean from, to"), _("Applications")), rows)


def _lot(figures: Figures) -> str:
    lot = figures["lot"]
    if lot["run"] is None:
        return _("Nothing was decided up to this day.")
    return _(
        "Run %(run)s can be computed again from its public bundle (input %(input)s…). The hash of the lot's secret, "
        "published before the close, is %(secret)s…"
    ) % {"run": lot["run"], "input": lot["input_sha256"][:12], "secret": lot["secret_sha256"][:12]}


def _energy(figures: Figures) -> Section:
    used = figures["energy"]
    return Section(
        _("Energy"),
        (
            _(
                "%(kwh)s kWh and %(kg)s kg CO₂e, estimated: GPU-hours used × power of the GPU type × PUE %(pue)s × "
                "%(grid)s g a kWh."
            )
            % {
                "kwh": formats.number_format(used["watt_hours"] / 1000, 1),
                "kg": formats.number_format(used["co2_grams"] / 1000, 1),
                "pue": formats.number_format(used["pue_hundredths"] / 100, 2),
                "grid": _count(used["grid_g_per_kwh"]),
            },
        ),
        is_boxed=True,
    )


def _awards(figures: Figures) -> Section:
    rows = tuple(
        (
            award["award"],
            award["group"],
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
    return Section(_("All awards"), tables=(table,), starts_page=True)


def _award_parts(figures: Figures) -> dict[str, Any]:
    award, promise = figures["award"], figures["promise"]
    left = award["awarded"] - award["used"] - award["returned"]
    note = figures["progress_note"]
    return {
        "heading": award["title"],
        "figures": (
            Figure(say_hours(award["awarded"]), _("GPU-hours awarded")),
            Figure(say_hours(award["used"]), _("GPU-hours used")),
            Figure(say_hours(max(left, 0)), _("GPU-hours left")),
        ),
        "sentences": (
            _("%(group)s used %(part)s of the hours in %(jobs)s.")
            % {
                "group": award["group"],
                "part": percent(award["used"], award["awarded"]),
                "jobs": ngettext("%(n)s job", "%(n)s jobs", figures["jobs"]) % {"n": _count(figures["jobs"])},
            },
            *_simulated(figures),
        ),
        "sections": (
            Section(_("What was promised"), (_promise(promise),)),
            Section(_("How it goes"), tuple(note.splitlines()) or (_("No progress note was written yet."),)),
            _use_section(figures, promised=award["awarded"], capacity=None),
            _energy(figures),
        ),
    }


def _promise(promise: Figures) -> str:
    if promise["number"] is None:
        return promise["text"] or _("No number was promised.")
    month = formats.date_format(_instant(f"{promise['month']}T00:00:00Z"), "F Y") if promise["month"] else ""
    told = _("%(number)s %(unit)s") % {"number": _count(promise["number"]), "unit": promise["unit"]}
    return _("%(what)s by %(month)s.") % {"what": told, "month": month} if month else told + "."


def _method(figures: Figures) -> tuple[str, ...]:
    zone = parse_zone(figures["call"]["zone"])
    return (
        _("Data up to %(instant)s.") % {"instant": say_instant(_instant(figures["cutoff_at"]), zone)},
        _(
            "An hour is one GPU for one hour. Used means metered by the cluster: GPUs × seconds of each job, also of "
            "those that were run again. Hours shown are cut to two decimals."
        ),
        _(
            "An award counts once in each table, under its main goal; further goals stand in a column of their own."
        ),
        _(
            "Made by %(software)s from data with the fingerprint (SHA-256) in the foot; the CSV holds the same figures."
        )
        % {"software": figures["software"]},
    )
