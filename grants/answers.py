"""What the twelve answers say: their canonical form, what is still missing, and each in words.

Called by the stage functions, the forms and every page that shows an application. Reads rows, writes none.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from grants.countries import country_name
from grants.models import Application, GpuType
from grants.questions import (
    DATA_RIGHTS,
    GROUP_KINDS,
    JOB_KINDS,
    PROMISES,
    QUESTIONS,
    SHARES,
    STEADINESS,
    TITLE_LEAST,
    Question,
    labels,
)
from grants.sdg import BY_NUMBER, Goal
from portal.lib.hours import say_hours

COLUMNS: tuple[str, ...] = tuple(column for question in QUESTIONS for column in question.fields)
FORMAT = "openhours.application.1"


@dataclass(frozen=True)
class Missing:
    """An answer without which an application cannot be sent; the text says what to do."""

    number: int
    text: str


def canonical_content(application: Application) -> str:
    """Everything that was answered as one JSON text that is the same on every machine; receipts hash it."""
    content = {
        "format": FORMAT,
        "application": application.public_id,
        "call": application.call.slug,
        "language": application.language,
        "answers": _plain_answers(application, COLUMNS),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(application: Application, columns: Iterable[str]) -> str:
    """Tells whether some answers are still what a page showed, whatever else was changed meanwhile."""
    return sha256_of(json.dumps(_plain_answers(application, columns), sort_keys=True))


def _plain_answers(application: Application, columns: Iterable[str]) -> dict[str, Any]:
    return {column: _plain(getattr(application, column)) for column in columns}


def _plain(value: Any) -> Any:
    if isinstance(value, GpuType):
        return value.key
    return value.isoformat() if isinstance(value, date) else value


def missing_answers(application: Application) -> list[Missing]:
    """What must be answered before it can be sent, in the order of the questions."""
    found = [
        *_missing_words(application),
        *_missing_size(application),
        *_missing_shares(application),
        *_missing_when(application),
        *_missing_who(application),
    ]
    return sorted(found, key=lambda each: each.number)


def _missing_words(application: Application) -> Iterable[Missing]:
    if len(application.title) < TITLE_LEAST:
        yield Missing(1, _("Write one line on what you will make, ten characters at least."))
    if not application.problem:
        yield Missing(2, _("Write what the problem is, for whom and where."))
    counted = application.outcome_number and application.outcome_unit and application.outcome_month
    if not counted and not application.outcome_text:
        yield Missing(4, _("Give a number, of what, and a month; or say it in your own words."))
    if not application.job_kind:
        yield Missing(5, _("Choose a kind of job. “I’m not sure” is an answer too."))
    if not application.data_rights:
        yield Missing(8, _("Choose whose data it is."))


def _missing_size(application: Application) -> Iterable[Missing]:
    ask, least = application.ask_gpu_seconds, application.minimum_gpu_seconds
    largest = application.call.largest_ask_gpu_seconds
    if ask is None or least is None or application.gpu_type_id is None:
        yield Missing(
            6,
            _("Give the hours that you ask for and the least that would help. For a first try, 20 is usual."),
        )
    elif ask > largest:
        yield Missing(
            6, _("Ask for %(hours)s hours or less: more is not given here.") % {"hours": say_hours(largest)}
        )
    elif not application.call.pools.filter(gpu_type=application.gpu_type_id).exists():
        yield Missing(6, _("Choose a GPU that this call offers."))


def _missing_shares(application: Application) -> Iterable[Missing]:
    if not application.shares:
        yield Missing(9, _("Choose what you will share."))
    elif "nothing" in application.shares and not application.shares_why:
        yield Missing(9, _("Tell us why you share nothing."))


def _missing_when(application: Application) -> Iterable[Missing]:
    if application.start_month is None or not application.weeks or not application.steadiness:
        yield Missing(10, _("Give the first month, the weeks, and how steady power and internet are."))


def _missing_who(application: Application) -> Iterable[Missing]:
    who = (application.country, application.group_name, application.group_kind, application.group_size)
    if not all(who):
        yield Missing(11, _("Give your country, and the name, kind and size of your group."))
    elif not application.contact_phone and not application.contact_email:
        yield Missing(11, _("Give a phone number or an e-mail address."))
    if any(promise.key not in application.promises for promise in PROMISES):
        yield Missing(12, _("Read the five promises and tick each."))


def answer_words(application: Application, question: Question) -> list[str]:
    """One answer in words, a line an item; no line where nothing was answered. Goals come as rows of their own."""
    words: dict[str, Callable[[], list[str]]] = {
        "make": lambda: [application.title],
        "problem": lambda: [application.problem],
        "goal": lambda: [],
        "outcome": lambda: _outcome(application),
        "job": lambda: labels(JOB_KINDS, [application.job_kind]),
        "size": lambda: _size(application),
        "so_far": lambda: [application.done_so_far],
        "data": lambda: labels(DATA_RIGHTS, application.data_rights),
        "share": lambda: [*labels(SHARES, application.shares), application.shares_why],
        "when": lambda: _when(application),
        "who": lambda: _who(application),
        "promises": lambda: _promises(application),
    }
    return [line for line in words[question.key]() if line]


def goals_of(application: Application) -> list[Goal]:
    """The main goal first."""
    numbers = [application.sdg_main, *application.sdg_others]
    return [BY_NUMBER[number] for number in numbers if number in BY_NUMBER]


def _outcome(application: Application) -> list[str]:
    lines = [application.outcome_text]
    if application.outcome_number and application.outcome_month:
        values = {
            "number": number_format(application.outcome_number, force_grouping=True),
            "unit": application.outcome_unit,
            "month": formats.date_format(application.outcome_month, "F Y"),
        }
        lines.insert(0, _("%(number)s %(unit)s by %(month)s") % values)
    return lines


def _size(application: Application) -> list[str]:
    lines = [application.ask_reason]
    if application.ask_gpu_seconds is not None and application.minimum_gpu_seconds is not None:
        values = {
            "ask": say_hours(application.ask_gpu_seconds),
            "least": say_hours(application.minimum_gpu_seconds),
            "gpu": application.gpu_type,
        }
        lines.insert(0, _("%(ask)s hours on %(gpu)s; %(least)s would still help") % values)
    if application.wants_help:
        lines.append(_("A person should work it out with us"))
    return lines


def _when(application: Application) -> list[str]:
    lines = labels(STEADINESS, [application.steadiness])
    if application.start_month and application.weeks:
        values = {"month": formats.date_format(application.start_month, "F Y"), "weeks": application.weeks}
        said = ngettext(
            "From %(month)s, %(weeks)s week", "From %(month)s, %(weeks)s weeks", application.weeks
        )
        lines.insert(0, said % values)
    return lines


def _who(application: Application) -> list[str]:
    people = application.group_size or 0
    return [
        application.group_name,
        *labels(GROUP_KINDS, [application.group_kind]),
        ngettext("%(people)s person", "%(people)s people", people) % {"people": people} if people else "",
        country_name(application.country) if application.country else "",
        application.contact_phone,
        application.contact_email,
    ]


def _promises(application: Application) -> list[str]:
    ticked, of = len(application.promises), len(PROMISES)
    if not ticked:
        return []
    known = application.known_reviewers
    return [
        _("All five ticked")
        if ticked == of
        else _("%(ticked)s of %(of)s ticked") % {"ticked": ticked, "of": of},
        _("You know: %(names)s") % {"names": known.replace("\n", ", ")}
        if known
        else _("You know none of the reviewers"),
    ]
