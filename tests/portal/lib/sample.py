"""Reports with invented figures, for the tests of paper, charts and PDF."""

from dataclasses import replace

from portal.lib.charts import Datum
from portal.lib.paper import Chart, Figure, Link, Report, SdgBars, SdgRow, Section, Table

DIGEST = "9f3c5d0a7be14f62a8c01d9e6f7b23455061728394a5b6c7d8e9f00112ff41aa"

HOURS = Chart(
    kind="cumulative",
    data=(
        Datum("March", 1100, "1,100"),
        Datum("April", 4660, "4,660"),
        Datum("May", 7480, "7,480"),
        Datum("June", 9872, "9,872"),
    ),
    lines=(Datum("funded", 12000, "12,000"), Datum("promised", 9600, "9,600")),
    alt="Hours used in total: March 1,100, April 4,660, May 7,480, June 9,872. Promised by June: 9,600.",
    headers=("By the end of", "Hours"),
)
PARTS = Chart(
    kind="meter",
    data=(
        Datum("Used", 9872, "9,872"),
        Datum("Reserved", 980, "980"),
        Datum("Left", 788, "788"),
    ),
    alt="Of 11,640 hours awarded, 9,872 are used, 980 reserved and 788 left.",
    headers=("Hours awarded", "Hours"),
)
COUNTRIES = Chart(
    kind="bars",
    data=(
        Datum("Bangladesh", 4300, "3,912 of 4,300", 3912),
        Datum("Kenya", 3450, "2,804 of 3,450", 2804),
        Datum("Uruguay", 2390, "2,120 of 2,390", 2120),
        Datum("Six others", 1500, "1,036 of 1,500", 1036),
    ),
    alt="Hours used of hours awarded: Bangladesh 3,912 of 4,300, Kenya 2,804 of 3,450.",
    headers=("Country", "Used of awarded"),
)
GOALS = SdgBars(
    caption="Each award counted once, under its principal goal",
    rows=(
        SdgRow(4, "Education", 14, 4300, 3912, "4,300", "3,912"),
        SdgRow(3, "Health", 11, 3450, 2804, "3,450", "2,804"),
        SdgRow(2, "Zero hunger", 9, 2390, 2120, "2,390", "2,120"),
        SdgRow(10, "Reduced inequalities", 7, 1500, 1036, "1,500", "1,036"),
    ),
    total=("41", "11,640", "9,872"),
)
DECIDED = Table(
    caption="163 applications",
    headers=("Decision", "Groups"),
    rows=(("Funded on score", "28"), ("Funded by lot", "13 of 22"), ("Not this time", "122")),
)
TIMES = Table(
    caption="Median days from close to decision",
    headers=("Tier", "Days"),
    rows=(("Micro", "2"), ("Standard", "9"), ("Large", "31")),
)


def call_report() -> Report:
    return Report(
        about="Report to the Ministry of Science · call 2027-1 · March to June 2027",
        heading="12,000 hours, 41 groups, 82 % used by June",
        language="en",
        cutoff_at="2027-06-30T22:00:00Z",
        cutoff_text="30 June 2027 (UTC)",
        digest=DIGEST,
        figures=(
            Figure("73,200", "hours asked for by 163 groups"),
            Figure("11,640", "awarded to 41 groups"),
            Figure("9,872", "used so far"),
            Figure("25 of 41", "never had a GPU before"),
        ),
        sentences=(
            "One group in four was funded. 360 hours could not be placed and roll over to the next call. "
            "The promise to have 9,600 hours used by June was kept.",
        ),
        sections=(
            Section("Hours used, added up, against the promise", chart=HOURS),
            Section("By principal goal", sdg=GOALS),
            Section("Where the hours went", chart=COUNTRIES, starts_page=True),
            Section("What is left of the hours awarded", chart=PARTS),
            Section("How it was decided", tables=(DECIDED,), is_half=True),
            Section("How long it took", tables=(TIMES,), is_half=True),
            Section(
                "Energy",
                ("6,160 kWh, 487 kg CO₂e (estimated: 9,872 h × 0.4 kW × PUE 1.56; 79 g a kWh).",),
                is_boxed=True,
            ),
        ),
        method=("Hours are A100-equivalent. Used means metered by the cluster up to the cut-off.",),
        files=(Link("PDF", "/reports/1.pdf"), Link("CSV", "/reports/1.csv")),
    )


def long_report(rows: int) -> Report:
    """As many table rows as asked for."""
    table = Table(
        caption="Awards",
        headers=("Award", "Group", "Awarded", "Used"),
        rows=tuple((f"g{n:07d}", f"Surma Voice Circle {n}", "150", f"{n % 150}") for n in range(rows)),
        numbers_from=2,
    )
    report = call_report()
    return replace(report, sections=(*report.sections, Section("All awards", tables=(table,))))


def report_in(language: str) -> Report:
    """A one-page report in a language with its own script."""
    heading, month, is_rtl = {
        "bn": ("খামারের ফোনসেবার জন্য সিলেটি বাক্‌ শনাক্তকারী, প্রতিশ্রুতি ও ফলাফল", "জুন মাসে", False),
        "ar": ("ساعات الحوسبة: ما وُعد به وما تحقق حتى يونيو", "ساعة في يونيو", True),
        "fr": ("Des heures pour les écoles : ce qui a été promis, où l’œuvre en est", "à la mi-août", False),
    }[language]
    chart = replace(
        HOURS, data=(Datum(month, 1100, "1\u00a0100"), Datum(month, 4660, "4\u00a0660")), alt=heading
    )
    bars = replace(
        COUNTRIES, data=(Datum(month, 9872, "9\u00a0872"), Datum(heading, 1200, "1\u00a0200")), alt=heading
    )
    meter = replace(PARTS, data=(Datum(month, 300, "300"), Datum(month, 40, "40"), Datum(month, 50, "50")))
    sections = (
        Section(heading, (heading,), chart=chart),
        Section(month, chart=bars),
        Section(month, chart=meter),
        Section(month, sdg=GOALS),
    )
    return replace(
        call_report(),
        about=month,
        heading=heading,
        language=language,
        is_rtl=is_rtl,
        figures=(Figure("9\u00a0872", month), Figure("150", month)),
        sentences=(heading + ".",),
        sections=sections,
        method=(heading,),
    )
