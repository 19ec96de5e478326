"""Words and parts that reports of calls and of awards share; called with the reader's language switched on."""

from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from allocation.figures_award import INDIVIDUAL
from grants.sdg import BY_NUMBER
from portal.lib.charts import Datum
from portal.lib.dates import parse_zone, say_instant
from portal.lib.hours import say_hours
from portal.lib.paper import Chart, Section

Figures = dict[str, Any]
MOST_BARS = 8


def instant(iso: str) -> datetime:
    at = parse_datetime(iso)
    if at is None:
        raise ValueError(f"{iso} is no instant")
    return at


def count(number: int) -> str:
    return formats.number_format(number, use_l10n=True, force_grouping=True)


def percent(part: int, whole: int) -> str:
    """Whole percents, rounded down; a dash where there is nothing to divide."""
    return "–" if not whole else _("%(n)s %%") % {"n": formats.number_format(part * 100 // whole)}


def group(name: str) -> str:
    """The group's name; a person who applied alone is told in the reader's language, and never by name."""
    return _("Individual recipient") if name == INDIVIDUAL else name


def goal(number: int | None) -> str:
    return str(BY_NUMBER[number]) if number else _("not sure")


def simulated(figures: Figures) -> tuple[str, ...]:
    """Says it wherever hours were made up by a simulated cluster."""
    made_up = figures["simulated_used"]
    if not made_up:
        return ()
    if made_up == sum(week["used"] for week in figures["use_by_week"]):
        return (_("The hours used are simulated: no real cluster ran these jobs."),)
    return (
        _("%(hours)s of the hours used are simulated: no real cluster ran these jobs.")
        % {"hours": say_hours(made_up)},
    )


def use_section(
    figures: Figures, *, awarded: int, offered: int | None = None, most: int = MOST_BARS
) -> Section:
    """Hours used, added up by week; of many weeks, evenly spaced ones up to the last are drawn."""
    heading = _("Hours used, added up")
    totals, total = [], 0
    for week in figures["use_by_week"]:
        total += week["used"]
        totals.append((week, total))
    if not totals:
        return Section(heading, (_("No hours were used up to this day."),))
    every = -(-len(totals) // most)
    data = tuple(
        Datum(_("week %(week)s") % {"week": week["week"]}, total, say_hours(total))
        for week, total in totals[::-1][::every][::-1]
    )
    lines = [Datum(_("awarded"), awarded, say_hours(awarded))]
    if offered is not None:
        lines.append(Datum(_("offered"), offered, say_hours(offered)))
    alt = _("Hours used in total: %(list)s.") % {
        "list": ", ".join(f"{datum.label} {datum.text}" for datum in data)
    }
    return Section(
        heading, chart=Chart("cumulative", data, alt, (_("By the end of"), _("Hours")), tuple(lines))
    )


def carbon(figures: Figures) -> str:
    """Kilograms of CO₂e to one decimal."""
    return formats.number_format(figures["energy"]["co2_grams"] / 1000, 1)


def energy_words(figures: Figures) -> str:
    """The estimate with all that went into it, so that anyone can work it out again."""
    used = figures["energy"]
    if not used["watt_hours"]:
        return _("No energy was used up to this day.")
    parts = [
        _("%(hours)s h × %(watts)s W (%(type)s)")
        % {"hours": say_hours(row["used"]), "watts": count(row["watts"]), "type": row["gpu_type"]}
        for row in used["by_type"]
    ]
    return _("%(kwh)s kWh and %(kg)s kg CO₂e (estimated: %(parts)s × PUE %(pue)s; %(grid)s g a kWh).") % {
        "kwh": formats.number_format(used["watt_hours"] / 1000, 1),
        "kg": carbon(figures),
        "parts": parts[0] if len(parts) == 1 else f"({' + '.join(parts)})",
        "pue": formats.number_format(used["pue_hundredths"] / 100, 2),
        "grid": count(used["grid_g_per_kwh"]),
    }


def method(figures: Figures) -> tuple[str, ...]:
    """What the figures mean, and until when they reach."""
    zone = parse_zone(figures["call"]["zone"])
    reach = _("Data up to %(instant)s.") % {"instant": say_instant(instant(figures["cutoff_at"]), zone)}
    hours = _(
        "An hour is one GPU for one hour. Used means metered by the cluster: GPUs × seconds of each job, also of "
        "those that were run again. Hours shown are cut to two decimals."
    )
    once = _(
        "An award counts once in each table, under its main goal; further goals stand in a column of their own. "
        "Few applications of which none was funded are put together. "
        "Anyone can compute the decisions again from the public bundle."
    )
    return (
        f"{reach} {hours}",
        *((once,) if figures["kind"] == "call" else ()),
        _(
            "Energy is hours used × power of the GPU type × PUE; CO₂e is energy × the grid’s grams a kWh. %(software)s."
        )
        % {"software": figures["software"]},
    )
