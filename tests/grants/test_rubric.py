"""Scores: exact means, floors, the gate, disagreement, presets."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.presets import HOUR, PRESETS, STANDARD, tier_for
from grants.rubric import (
    HARM_SAFEGUARDS,
    HARM_STOP,
    Disagreement,
    Reason,
    anchor_words,
    combine,
    disagreements,
    is_fundable,
    shown,
    weighted_mean_thousandths,
)

WEIGHTS = STANDARD.weights
SCORES = st.fixed_dictionaries({key: st.integers(0, 5) for key in WEIGHTS})


def scores(**changed: int) -> dict[str, int]:
    return dict.fromkeys(WEIGHTS, 3) | changed


def test_the_standard_weights_add_up_to_100_and_harm_has_none() -> None:
    assert WEIGHTS == {
        "sdg": 25,
        "people": 20,
        "feasibility": 20,
        "ownership": 15,
        "frugality": 10,
        "additionality": 10,
    }
    assert STANDARD.floors == {"sdg": 2, "feasibility": 2}
    assert [each.key for each in STANDARD.criteria if each.is_gate] == ["harm"]


def test_a_weighted_mean_is_exact_in_thousandths() -> None:
    assert weighted_mean_thousandths(scores(sdg=4, people=5), WEIGHTS) == 3650
    assert weighted_mean_thousandths({"a": 1, "b": 0}, {"a": 1, "b": 2}) == 333


@pytest.mark.parametrize(("weight", "expected"), [(1, 0), (3, 2)])
def test_a_half_thousandth_rounds_to_the_even_neighbour(weight: int, expected: int) -> None:
    assert weighted_mean_thousandths({"a": 1, "b": 0}, {"a": weight, "b": 2000 - weight}) == expected


def test_the_mean_over_reviewers_is_rounded_only_once() -> None:
    weights = {"a": 1, "b": 2}
    combined = combine([{"a": 1, "b": 0}, {"a": 1, "b": 0}, {"a": 0, "b": 0}], weights)
    assert combined.total_thousandths == round(Fraction(2000, 9))
    assert combined.by_criterion == {"a": 667, "b": 0}


def test_after_a_disagreement_the_median_of_three_counts() -> None:
    three = [scores(feasibility=5), scores(feasibility=2), scores(feasibility=4)]
    assert combine(three, WEIGHTS, method="median").by_criterion["feasibility"] == 4000
    assert combine(three, WEIGHTS).by_criterion["feasibility"] == 3667


def test_the_tie_goes_by_the_sdg_criterion() -> None:
    assert combine([scores(sdg=4), scores(sdg=5)], WEIGHTS).tie_thousandths == 4500


def test_exactly_3_with_both_floors_met_is_fundable() -> None:
    verdict = is_fundable(combine([scores()], WEIGHTS), STANDARD.floors)
    assert verdict.is_fundable
    assert verdict.reasons == ()


def test_each_reason_against_funding_is_named_with_its_figures() -> None:
    weak = combine([scores(sdg=1, people=1)], WEIGHTS)
    verdict = is_fundable(weak, STANDARD.floors, harm=HARM_STOP)
    assert not verdict.is_fundable
    assert verdict.reasons == (
        Reason("harm_stop", criterion="harm"),
        Reason("below_mean", None, 2100, 3000),
        Reason("below_floor", "sdg", 1000, 2000),
    )


def test_a_floor_stops_even_a_high_mean_and_safeguards_do_not() -> None:
    high = combine([dict.fromkeys(WEIGHTS, 5) | {"feasibility": 1}], WEIGHTS)
    assert [reason.kind for reason in is_fundable(high, STANDARD.floors).reasons] == ["below_floor"]
    assert is_fundable(combine([scores()], WEIGHTS), STANDARD.floors, harm=HARM_SAFEGUARDS).is_fundable


def test_reviewers_disagree_from_two_points_on_a_criterion() -> None:
    assert disagreements([scores(people=3), scores(people=4)], WEIGHTS) == ()
    assert disagreements([scores(people=2), scores(people=4)], WEIGHTS) == (Disagreement("people", 2000),)


def test_reviewers_disagree_from_one_point_in_total() -> None:
    found = disagreements([scores(), dict.fromkeys(WEIGHTS, 4)], WEIGHTS)
    assert found == (Disagreement(None, 1000),)
    assert disagreements([scores()], WEIGHTS) == ()


@pytest.mark.parametrize(
    ("given_scores", "weights", "match"),
    [
        ({"a": 6}, {"a": 1}, "0 to 5"),
        ({}, {"a": 1}, "No score for a"),
        ({"a": 1}, {"a": 0}, "Weights"),
    ],
)
def test_impossible_scores_are_refused(
    given_scores: dict[str, int], weights: dict[str, int], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        weighted_mean_thousandths(given_scores, weights)


@given(st.lists(SCORES, min_size=1, max_size=5))
def test_a_mean_lies_between_the_lowest_and_the_highest_review_in_any_order(
    reviews: list[dict[str, int]],
) -> None:
    totals = [weighted_mean_thousandths(review, WEIGHTS) for review in reviews]
    combined = combine(reviews, WEIGHTS)
    assert min(totals) <= combined.total_thousandths <= max(totals)
    assert combine(list(reversed(reviews)), WEIGHTS) == combined


def test_scores_without_words_lie_between_their_neighbours() -> None:
    words = anchor_words(STANDARD.criteria[0].anchors)
    assert [score for score, _text in words] == [0, 1, 2, 3, 4, 5]
    assert words[2] == (2, "Between 1 and 3")
    assert words[5][1].startswith("A clear chain")


def test_words_that_a_chair_wrote_come_back_as_they_are() -> None:
    assert shown("Our own criterion") == "Our own criterion"
    assert shown("") == ""


@pytest.mark.parametrize(
    ("hours", "tier"), [(1, "micro"), (100, "micro"), (101, "standard"), (1500, "standard"), (1501, "large")]
)
def test_an_ask_falls_into_the_first_tier_that_holds_it(hours: int, tier: str) -> None:
    assert tier_for(PRESETS["standard"], ask_gpu_seconds=hours * HOUR).key == tier
