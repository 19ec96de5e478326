"""The estimator: measured rows, the worked example, energy, cheaper ways, rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants import estimate_words
from grants.estimator import (
    HOUR,
    Job,
    cards,
    estimate,
    grams_per_kwh,
    hours_above,
    hours_below,
    models,
    needs_reason,
)

WORKED = Job(model="lora_7b", amount=50_000, passes=3, grid="FI")
MINUTES_PER_1000 = {
    "lora_1b": "1.62",
    "lora_3b": "1.24",
    "lora_7b": "2.36",
    "lora_7b_4bit": "3.68",
    "lora_13b": "3.19",
    "lora_13b_4bit": "6.38",
}


@pytest.mark.parametrize("model", MINUTES_PER_1000)
def test_each_measured_row_lies_inside_its_own_range(model: str) -> None:
    measured = Decimal(MINUTES_PER_1000[model]) * 60 * 150
    found = estimate(Job(model=model, amount=50_000, passes=3))
    assert found.low_seconds <= measured <= found.high_seconds


def test_the_worked_example_takes_1_to_6_hours_and_asks_for_15() -> None:
    found = estimate(WORKED)
    assert (found.low_hours, found.high_hours, found.ask_hours, found.smallest_hours) == tuple(
        map(Decimal, (1, 6, 15, 6))
    )
    assert found.ask_seconds == 15 * HOUR


def test_the_worked_example_costs_9_kwh_and_700_grams_on_the_finnish_grid() -> None:
    found = estimate(WORKED)
    assert found.energy_kwh == Decimal("9.36")
    assert found.co2_grams == 739
    assert round(found.co2_kg, 1) == Decimal("0.7")


def test_a_call_may_state_its_own_pue_and_grid() -> None:
    found = estimate(Job(model="lora_7b", amount=50_000, grid="FI", pue_hundredths=100, grams_per_kwh=0))
    assert (found.energy_wh, found.co2_grams) == (6000, 0)
    assert {way.saves_grams for way in found.cheaper} == {0}


def test_a_country_without_a_figure_counts_as_the_world() -> None:
    assert grams_per_kwh("XX") == grams_per_kwh("WORLD") == 475


def test_the_cheaper_ways_come_in_the_order_of_the_ladder_and_each_saves_hours() -> None:
    found = estimate(WORKED)
    assert [(way.kind, way.model) for way in found.cheaper] == [
        ("existing_model", None),
        ("prompting", None),
        ("smaller_model", "lora_1b"),
        ("smaller_model", "lora_3b"),
    ]
    three = found.cheaper[-1]
    assert (three.ask_seconds, three.saves_seconds) == (8 * HOUR, 7 * HOUR)
    assert 0 < three.saves_grams < found.co2_grams


def test_4_bits_save_memory_not_hours() -> None:
    plain, small = estimate(WORKED), estimate(Job(model="lora_7b_4bit", amount=50_000))
    assert small.high_seconds > plain.high_seconds
    assert "t4" in [card.key for card in small.fits]
    assert "t4" not in [card.key for card in plain.fits]


def test_full_training_of_7b_needs_several_cards_and_no_less_time_than_lora() -> None:
    full = estimate(Job(model="full_7b", amount=50_000))
    assert (full.cards_needed, full.fits) == (3, ())
    assert full.high_seconds >= estimate(WORKED).high_seconds


def test_eight_hours_of_audio_take_5_to_10_hours_on_a_t4() -> None:
    found = estimate(Job(model="speech_small", amount=8, card="t4"))
    assert (found.low_hours, found.high_hours, found.ask_hours) == tuple(map(Decimal, (5, 10, 25)))


def test_a_faster_card_takes_less_time_in_proportion_to_its_peak() -> None:
    slow, fast = estimate(WORKED), estimate(Job(model="lora_7b", amount=50_000, card="h100"))
    assert abs(fast.high_seconds - slow.high_seconds * 312 / 989) <= 1


def test_answering_many_at_once_is_the_cheaper_way_to_run_a_model() -> None:
    found = estimate(Job(model="answers_7b", amount=10_000, tokens_each=200))
    assert [way.kind for way in found.cheaper] == ["batches"]
    assert found.high_hours == 18


def test_an_ask_of_more_than_twice_our_suggestion_needs_a_reason() -> None:
    found = estimate(WORKED)
    assert not needs_reason(ask_seconds=30 * HOUR, estimate=found)
    assert needs_reason(ask_seconds=30 * HOUR + 1, estimate=found)


@pytest.mark.parametrize(
    "job", [Job("lora_7b", 0), Job("lora_7b", 1, passes=0), Job("none", 1), Job("lora_7b", 1, card="x")]
)
def test_an_impossible_job_is_refused(job: Job) -> None:
    with pytest.raises(ValueError, match=r"at least 1|Unknown"):
        estimate(job)


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        (60, "0.1", "0.1"),
        (1800, "0.5", "0.5"),
        (HOUR, "1", "1"),
        (23 * HOUR, "20", "25"),
        (1510 * HOUR, "1500", "1550"),
    ],
)
def test_shown_hours_round_down_at_the_low_end_and_up_at_the_high_end(
    seconds: int, low: str, high: str
) -> None:
    assert hours_below(seconds) == Decimal(low)
    assert hours_above(seconds) == Decimal(high)


@given(
    st.sampled_from(sorted(models())),
    st.integers(1, 10**7),
    st.integers(1, 20),
    st.sampled_from(sorted(cards())),
)
def test_the_ask_always_covers_the_range_and_more_work_never_takes_less(
    model: str, amount: int, passes: int, card: str
) -> None:
    one = estimate(Job(model=model, amount=amount, passes=passes, card=card))
    more = estimate(Job(model=model, amount=amount + 1, passes=passes, card=card))
    assert one.low_seconds <= one.high_seconds <= one.ask_seconds
    assert 0 < one.smallest_seconds <= one.ask_seconds
    assert one.ask_seconds <= more.ask_seconds
    assert all(0 < way.saves_seconds <= one.ask_seconds for way in one.cheaper)


def test_the_working_is_told_step_by_step_in_words() -> None:
    told = [estimate_words.step_words(step) for step in estimate(WORKED).steps]
    assert [(line.name, line.result) for line in told] == [
        ("By formula", "1.1 h"),
        ("By measured table", "5.9 h"),
        ("Ask", "15 h"),
        ("Energy", "9.4 kWh"),
        ("CO₂", "0.7 kg"),
    ]
    assert told[1].working == "150,000 at 2.36 minutes per 1,000, measured on A100 40 GB"


def test_every_model_has_a_name_and_every_route_has_words() -> None:
    for key in models():
        assert estimate_words.model_name(key)
        assert estimate_words.unit_question(models()[key])
        assert all(estimate_words.route_words(way) for way in estimate(Job(key, 10_000)).cheaper)
