"""Check and send, the receipt that proves it, and taking it back."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from grants import applications
from grants.answers import answer_words, goals_of, missing_answers
from grants.models import Application, Receipt, State
from grants.questions import QUESTIONS, Question
from grants.sdg import Goal
from grants.views.common import OF_THE_GROUP, arrived_at, can_change, own_application, person
from portal.access import WRITE, get_visible_from
from portal.once import FIELD, once
from portal.refused import Refused


@dataclass(frozen=True)
class AnswerRow:
    """One line of the check page."""

    question: Question
    lines: list[str]
    goals: list[Goal]
    missing: str


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def check(request: HttpRequest, public_id: str) -> HttpResponse:
    if request.method == "POST":
        return _send(request, own_application(request, public_id, WRITE))
    application = own_application(request, public_id)
    may_write = Application.objects.visible_to(request.user, WRITE, as_=OF_THE_GROUP)
    context = {
        "application": application,
        "rows": (rows := answer_rows(application)),
        "missing": [row for row in rows if row.missing],
        "can_change": can_change(application, arrived_at(request))
        and may_write.filter(pk=application.pk).exists(),
        "is_owner": application.owner_id == person(request).pk,
    }
    return render(request, "grants/check.html", context)


def _send(request: HttpRequest, application: Application) -> HttpResponse:
    try:
        applications.submit(
            application=application, by=person(request), key=_key(request), now=arrived_at(request)
        )
    except Refused as refused:
        messages.error(request, str(refused))
        is_sent = Receipt.objects.filter(application=application).exists()
        return redirect("receipt" if is_sent else "check", application.public_id)
    messages.success(request, _("Sent. Here is your receipt; a copy comes by mail."))
    return redirect("receipt", application.public_id)


def _key(request: HttpRequest) -> uuid.UUID:
    """The form's own key, so that the receipt too is made a single time."""
    try:
        return uuid.UUID(request.POST.get(FIELD, ""))
    except ValueError:
        return uuid.uuid4()


def answer_rows(application: Application) -> list[AnswerRow]:
    """All twelve answers in words, with what is missing at each."""
    missing = {each.number: each.text for each in missing_answers(application)}
    goals = goals_of(application)
    return [
        AnswerRow(
            question=each,
            lines=answer_words(application, each),
            goals=goals if each.key == "goal" else [],
            missing=missing.get(each.number, ""),
        )
        for each in QUESTIONS
    ]


@login_required
@require_safe
def receipt(request: HttpRequest, public_id: str) -> HttpResponse:
    application = own_application(request, public_id)
    receipts = list(application.receipts.newest_first().select_related("content")[:50])
    if not receipts:
        messages.error(request, _("Nothing is sent yet, so there is no receipt."))
        return redirect("check", public_id)
    context = {"application": application, "receipt": receipts[0], "earlier": receipts[1:]}
    return render(request, "grants/receipt.html", context)


@login_required
@require_safe
def receipt_content(request: HttpRequest, public_id: str, sequence: int) -> HttpResponse:
    """The exact bytes behind a receipt: their SHA-256 is the receipt's."""
    rows = Receipt.objects.select_related("content")
    found = get_visible_from(
        rows, request.user, as_=OF_THE_GROUP, application__public_id=public_id, sequence=sequence
    )
    try:
        canonical = found.content.canonical
    except ObjectDoesNotExist as erased:
        raise Http404 from erased
    answer = HttpResponse(canonical, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{public_id}-{found}.json"'
    return answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@once
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    application = own_application(request, public_id, WRITE)
    if request.method != "POST":
        if application.state == State.SUBMITTED and application.call.released_at is None:
            return render(request, "grants/withdraw.html", {"application": application})
        messages.error(request, _("This application cannot be withdrawn."))
        return redirect("application", public_id)
    try:
        applications.withdraw(application=application, by=person(request), now=arrived_at(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Withdrawn. You can still read it."))
    return redirect("application", public_id)
