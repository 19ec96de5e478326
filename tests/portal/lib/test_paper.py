"""The report page itself: on a screen under a strict policy, on paper, right to left."""

from django.template.loader import render_to_string

from portal.lib.paper import SDG_BAR_WIDTH, SdgBars, SdgRow

from . import sample


def page(*, is_paper: bool, language: str = "") -> str:
    report = sample.report_in(language) if language else sample.call_report()
    return render_to_string("report/base.html", {"report": report, "is_paper": is_paper})


def test_page_on_a_screen_has_nothing_that_a_strict_policy_forbids() -> None:
    html = page(is_paper=False)
    assert "<style" not in html
    assert "style=" not in html
    assert "<script" not in html
    assert '<link rel="stylesheet" href="/static/report/report.css">' in html
    assert 'class="skip"' in html


def test_page_offers_the_same_report_as_files_on_a_screen_only() -> None:
    assert 'href="/reports/1.csv"' in page(is_paper=False)
    assert 'href="/reports/1.csv"' not in page(is_paper=True)


def test_screen_and_paper_show_the_same_figures() -> None:
    screen, paper = page(is_paper=False), page(is_paper=True)
    for figures in ("73,200", "11,640", "3,912", "13 of 22", sample.DIGEST):
        assert figures in screen
        assert figures in paper


def test_arabic_page_runs_from_right_to_left() -> None:
    assert '<html lang="ar" dir="rtl">' in page(is_paper=True, language="ar")


def test_digest_in_the_foot_keeps_both_ends() -> None:
    assert sample.call_report().digest_short == "9f3c5d0a…12ff41aa"


def test_longest_goal_bar_is_full_and_used_never_longer_than_awarded() -> None:
    rows = (
        SdgRow(4, "a", 1, 900, 950, "", ""),
        SdgRow(3, "b", 1, 1, 1, "", ""),
        SdgRow(2, "c", 0, 0, 0, "", ""),
    )
    bars = SdgBars("", rows)
    assert [bars.bar(row) for row in rows] == [(SDG_BAR_WIDTH, SDG_BAR_WIDTH), (1, 1), (0, 0)]
