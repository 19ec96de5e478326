"""Who sits before the pages, and what they type on each of the twelve. Called by the tests of the pages."""

import uuid
from typing import Any

from django.test import Client

from grants.models import Application, Call
from tests.factories import a_draft, a_user, an_open_call, at, some_answers


def typed(application: Application) -> dict[int, dict[str, Any]]:
    """One whole application, as browsers post it."""
    known = some_answers()
    return {
        1: {"title": known["title"]},
        2: {"problem": known["problem"]},
        3: {"sdg_main": "2", "sdg_others": ["10"]},
        4: {
            "outcome_number": "1,500",
            "outcome_unit": "calls answered",
            "outcome_month": known["outcome_month"].isoformat(),
        },
        5: {"job_kind": "speech"},
        6: {"gpu_type": known["gpu_type"].pk, "ask_gpu_seconds": "১৫০", "minimum_gpu_seconds": "75.5"},
        7: {"done_so_far": "Forty hours of recordings."},
        8: {"data_rights": ["community", "personal"]},
        9: {"shares": ["model", "lesson"]},
        10: {"start_month": known["start_month"].isoformat(), "weeks": "١٢", "steadiness": "cuts"},
        11: {
            "country": "BD",
            "group_name": "Surma Voice Circle",
            "group_kind": "community",
            "group_size": "4",
            "contact_phone": "+880 1700 000000",
        },
        12: {"promises": known["promises"], "known_reviewers": "Rosa Pérez"},
    }


def page(application: Application, number: int) -> str:
    return f"/applications/{application.public_id}/q/{number}/"


def hidden(response: Any) -> dict[str, Any]:
    """What the page carries along unseen."""
    return {name: response.context[name] for name in ("version", "seen")}


def answer(client: Client, application: Application, number: int, **data: Any) -> Any:
    """Opens a page and posts it, as a person does."""
    shown = client.get(page(application, number))
    return client.post(page(application, number), hidden(shown) | {"do": "save"} | data)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def begun(call: Call | None = None) -> tuple[Client, Application]:
    """Somebody who has just pressed “Begin”."""
    client, call = signed_in(a_user()), call or an_open_call()
    client.post(f"/calls/{call.slug}/apply/", {"once": uuid.uuid4()})
    return client, Application.objects.latest("pk")


def drafted(**answers: Any) -> tuple[Client, Application]:
    draft = a_draft(**answers)
    return signed_in(draft.owner), draft


def renamed(call: Call, title: str) -> Call:
    Call.objects.filter(pk=call.pk).update(title=title)
    return call


def closed(call: Call) -> None:
    """Turns the clock past the close by moving the close."""
    Call.objects.filter(pk=call.pk).update(closes_at=at(minutes=-1))
