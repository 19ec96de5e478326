"""Tags that draw a chart as a picture with its figures in a table beside it; for reports and pages."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from portal.lib import charts, paper

register = template.Library()
Context = dict[str, Any]


@register.inclusion_tag("charts/_figure.html", takes_context=True)
def chart_meter(context: Context, parts: Sequence[charts.Datum], alt: str) -> Context:
    """{% chart_meter parts alt %}: one bar of at most three parts."""
    return _figure(context, "meter", charts.meter(parts, is_rtl=_is_rtl(context)), parts, alt)


@register.inclusion_tag("charts/_figure.html", takes_context=True)
def chart_bars(context: Context, rows: Sequence[charts.Datum], alt: str) -> Context:
    """{% chart_bars rows alt %}: a bar a row."""
    return _figure(context, "bars", charts.bars(rows, is_rtl=_is_rtl(context)), rows, alt)


@register.inclusion_tag("charts/_figure.html", takes_context=True)
def chart_cumulative(
    context: Context, points: Sequence[charts.Datum], alt: str, lines: Sequence[charts.Datum] = ()
) -> Context:
    """{% chart_cumulative points alt lines=levels %}: totals over time against levels."""
    drawing = charts.cumulative(points, lines=lines, is_rtl=_is_rtl(context))
    return _figure(context, "cumulative", drawing, [*points, *lines], alt)


@register.inclusion_tag("charts/_figure.html", takes_context=True)
def chart(context: Context, chart: paper.Chart) -> Context:
    """{% chart section.chart %}: the chart of a report, whichever kind it is."""
    match chart.kind:
        case "meter":
            shown = chart_meter(context, chart.data, chart.alt)
        case "bars":
            shown = chart_bars(context, chart.data, chart.alt)
        case "cumulative":
            shown = chart_cumulative(context, chart.data, chart.alt, chart.lines)
        case _:
            raise ValueError(f"There is no chart of kind {chart.kind}.")
    return shown | {"headers": chart.headers}


@register.simple_tag
def sdg_bar(bars: paper.SdgBars, row: paper.SdgRow) -> str:
    """The address of a small picture: what was awarded under a goal, and how much of it was used."""
    awarded, used = bars.bar(row)
    fills = charts.FILLS
    boxes = (charts.Box(0, 0, awarded, 12, fills[2]), charts.Box(0, 0, used, 12, fills[0]))
    drawing = charts.Drawing(width=paper.SDG_BAR_WIDTH, height=12, boxes=boxes)
    return _picture("bars", drawing)


def _figure(
    context: Context, kind: str, drawing: charts.Drawing, data: Sequence[charts.Datum], alt: str
) -> Context:
    return {
        "picture": _picture(kind, drawing),
        "drawing": drawing,
        "kind": kind,
        "data": data,
        "alt": alt,
        "headers": (_("What"), _("How much")),
        "is_paper": context.get("is_paper", False),
    }


def _picture(kind: str, drawing: charts.Drawing) -> str:
    """A data address: as a picture of its own it has an alt text and needs no style of the page."""
    svg = render_to_string(f"charts/{kind}.svg", {"drawing": drawing})
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _is_rtl(context: Context) -> bool:
    report = context.get("report")
    return report.is_rtl if isinstance(report, paper.Report) else get_language_bidi()
