"""Reasons as words: every kind that engine and ranking can give has its sentence, with its numbers."""

import re
from pathlib import Path

import pytest

from allocation import engine, words
from allocation.words import Facts

FACTS = Facts(
    score=3900,
    ask=1500 * 3600,
    minimum=1200 * 3600,
    got=1350 * 3600,
    criteria={"sdg": "SDG change"},
    pools={"p1": "Ministry: A100"},
)
GIVEN = [
    {"kind": "funded_whole"},
    {"kind": "funded_in_part", "step": 2, "limited_by": "pool_empty"},
    {"kind": "not_fundable", "floor": None},
    {"kind": "pool_empty", "pool": "p1", "left": 1150 * 3600, "minimum": 1200 * 3600},
    {"kind": "cap", "group": "c2345", "left": 3600},
    {"kind": "share_full", "share": "s1"},
    {"kind": "earmark_elsewhere", "pool": "p1", "held": 7200},
    {"kind": "band_c"},
    {"kind": "lot", "place": 14, "drawn": 13},
    {"kind": "outscored", "threshold": 4050},
    {"kind": "below_mean", "had": 2300, "needed": 3000},
    {"kind": "below_floor", "criterion": "sdg", "had": 1500, "needed": 2000},
    {"kind": "harm_stop", "criterion": "harm"},
    {"kind": "no_review"},
    {"kind": "ineligible"},
]
KINDS = [each["kind"] for each in GIVEN]


@pytest.mark.parametrize("reason", GIVEN, ids=KINDS)
def test_every_kind_is_said_to_the_applicant_and_to_the_chair(reason):
    for table in (words.to_applicant, words.to_chair):
        (said,) = table([reason], FACTS)
        assert said.endswith(".") and "%(" not in said


def test_every_kind_that_the_engine_knows_has_words():
    sources = Path(engine.__file__).parent.rglob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    kinds = set(re.findall(r'Reason\(\s*"(\w+)"', code)) - {"would_be_funded_if"}
    assert {"funded_whole", "outscored"} <= kinds <= set(KINDS)
    assert set(words.TO_APPLICANT) == set(KINDS)


def test_the_reason_carries_its_numbers():
    (said,) = words.to_applicant([GIVEN[3]], FACTS)
    assert said == (
        "When your turn came, 1,150 hours were left in Ministry: A100. Your smallest useful amount was 1,200."
    )


def test_the_floor_that_was_missed_stands_in_place_of_some_floor():
    said = words.to_applicant([GIVEN[2], GIVEN[11]], FACTS)
    assert said == ["Your score for “SDG change” was 1.5; this call needs 2.0 there."]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"score": 4051}, "A score of 4.051 instead of 3.9."),
        (
            {"minimum": 1150 * 3600, "gpu_type": "a100"},
            "A smallest useful amount of 1,150 hours instead of 1,200.",
        ),
        ({"ask": 1000 * 3600, "gpu_type": "a100"}, "An ask of 1,000 hours instead of 1,500."),
    ],
)
def test_what_would_have_been_enough_is_said_against_what_was(change, says):
    assert words.what_was_needed([{"kind": "would_be_funded_if", **change}, *GIVEN], FACTS) == [says]


def test_the_outcome_is_said_first_in_one_line():
    assert words.outcome_words("awarded", FACTS) == "You get 1,350 hours"
    assert words.outcome_words("declined", FACTS) == "No hours could be given this time"
    assert words.outcome_words("waiting", FACTS) == "You are on the waiting list"


def test_each_rule_is_said_in_a_line_and_one_without_words_by_its_name():
    assert words.rule_words("rank-and-cut").startswith("By rank")
    assert words.rule_words("a-new-rule") == "a-new-rule"
