"""An application as those who judge it see it: answers in words, without the questions that say who applies.

Called by the review page and the chair's page in the workroom.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from grants.answers import answer_words
from grants.countries import country_name
from grants.models import Application
from grants.questions import GROUP_KINDS, QUESTIONS, Question, Words, labels
from grants.sdg import Goal, goal

# Columns that hold the group's own words: a page marks their language.
OWN_WORDS = ("title", "problem", "outcome_text", "done_so_far", "shares_why", "ask_reason")


@dataclass(frozen=True)
class Answer:
    """One question with its answer: lines in words, each with whether they are the group's own; and goals."""

    short: Words
    lines: tuple[tuple[str, bool], ...]
    goals: tuple[Goal, ...]
    note: str


def open_answers(application: Application) -> list[Answer]:
    """What a reviewer may read: nothing that says who applies."""
    return [_answer(application, each) for each in QUESTIONS if not each.hidden_from_reviewers]


def _answer(application: Application, question: Question) -> Answer:
    own = {getattr(application, column) for column in OWN_WORDS}
    numbers = [application.sdg_main, *application.sdg_others] if question.key == "goal" else []
    return Answer(
        short=question.short,
        lines=tuple((line, line in own) for line in answer_words(application, question)),
        goals=tuple(goal(number) for number in numbers if number),
        note=_("A weak line never lowers a score.") if question.key == "when" else "",
    )


def identity(application: Application) -> list[tuple[str, str]]:
    """Who applies, as (label, text): for chairs, and for reviewers of a call that is not blind."""
    lines = [
        (_("Group"), application.group_name),
        (_("Kind of group"), ", ".join(labels(GROUP_KINDS, [application.group_kind]))),
        (_("Country"), country_name(application.country) if application.country else ""),
        (_("People"), str(application.group_size or "")),
    ]
    return [(label, text) for label, text in lines if text]


def contact(application: Application) -> list[tuple[str, str]]:
    """How to reach the group, and which reviewers it knows: for chairs."""
    lines = [
        (_("Owner"), application.owner.email),
        (_("Phone"), application.contact_phone),
        (_("E-mail"), application.contact_email),
        (_("Reviewers whom they know"), application.known_reviewers),
    ]
    return [(label, text) for label, text in lines if text]
