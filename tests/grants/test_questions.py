"""The table of questions: twelve, complete, each column filled once, the words within their own limits."""

from django import forms

from grants.questions import (
    DATA_RIGHTS,
    FIELD_WORDS,
    JOB_KINDS,
    PROMISES,
    QUESTIONS,
    SHARES,
    STEADINESS,
    TITLE_LEAST,
    TITLE_MOST,
    labels,
    pairs,
    picks,
    question,
    question_of,
)

ALL_CHOICES = (JOB_KINDS, DATA_RIGHTS, SHARES, STEADINESS, PROMISES)


def test_there_are_twelve_questions_numbered_in_order_with_different_keys() -> None:
    assert [each.number for each in QUESTIONS] == list(range(1, 13))
    assert len({each.key for each in QUESTIONS}) == 12
    assert question(12).key == "promises"


def test_every_question_says_why_and_gives_an_example() -> None:
    for each in QUESTIONS:
        assert all(str(text) for text in (each.title, each.why, each.example, each.short)), each.key
        assert len(str(each.why).split()) <= 30, each.key


def test_every_column_belongs_to_one_question_and_has_words() -> None:
    columns = [field for each in QUESTIONS for field in each.fields]
    assert len(columns) == len(set(columns))
    assert set(columns) == set(FIELD_WORDS)
    assert question_of("minimum_gpu_seconds").number == 6


def test_the_example_of_a_title_would_pass_its_own_check() -> None:
    assert TITLE_LEAST <= len(str(question(1).example)) <= TITLE_MOST


def test_only_who_they_are_and_whom_they_know_is_hidden_from_reviewers() -> None:
    assert [each.number for each in QUESTIONS if each.hidden_from_reviewers] == [11, 12]


def test_choices_have_different_keys_and_a_way_out_for_the_unsure() -> None:
    for choices in ALL_CHOICES:
        assert len({choice.key for choice in choices}) == len(choices)
    assert "not_sure" in dict(pairs(JOB_KINDS))
    assert "not_sure" in dict(pairs(STEADINESS))
    assert len(PROMISES) == 5


def test_a_form_field_keeps_the_help_of_each_card() -> None:
    field = forms.ChoiceField(choices=picks(JOB_KINDS), widget=forms.RadioSelect)
    form = type("PickForm", (forms.Form,), {"kind": field})({"kind": "speech"})
    assert form.is_valid()
    option = list(form["kind"])[1]
    assert str(option.data["label"]) == "Speech"
    assert str(option.data["label"].help) == "Recognise or make speech"
    assert option.data["selected"]


def test_labels_come_in_the_order_of_the_table() -> None:
    assert labels(SHARES, ["lesson", "model"]) == ["The model", "What we learned"]


def test_no_word_of_the_form_breaks_the_glossary() -> None:
    texts = [str(text) for each in QUESTIONS for text in (each.title, each.why, each.example)]
    texts += [str(text) for words in FIELD_WORDS.values() for text in (words.label, words.help)]
    for text in texts:
        assert not {"proposal", "submission", "round", "unfortunately"} & set(text.lower().split()), text
