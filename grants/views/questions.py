"""The twelve question pages: one form each, kept at every step, never over what somebody else just saved."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants import applications
from grants.answers import answer_words, digest_of, goals_of
from grants.forms import FORMS, AnswerForm
from grants.models import Application
from grants.questions import QUESTIONS
from grants.views import size
from grants.views.common import arrived_at, can_change, own_application, person
from portal.access import WRITE
from portal.refused import Refused

LAST = len(QUESTIONS)


# No @once here: a save makes no row, and the version in the form already lets each save count a single time.
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    application = own_application(request, public_id, WRITE)
    if number not in FORMS:
        raise Http404
    if request.method == "POST":
        return _answered(request, application, number)
    if not can_change(application, arrived_at(request)):
        messages.error(request, _("The answers can no longer be changed."))
        return redirect("check", public_id)
    form = FORMS[number](application=application)
    more = size.unasked(application) if number == size.NUMBER else {}
    return _page(request, application, form, **more)


def _answered(request: HttpRequest, application: Application, number: int) -> HttpResponse:
    if number == size.NUMBER and size.is_only_asking(request):
        return _page_as_posted(request, application, **size.worked_out(request, application))
    form, more = _bound(request, application, number)
    if not form.is_valid():
        return _page_as_posted(request, application, form=form, **more)
    try:
        _keep(request, application, form)
    except applications.Moved as moved:
        return _page(request, moved.newer, form, **more, **_both_versions(moved.newer, form))
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page_as_posted(request, application, form=form, **more)
    if request.GET.get("back") == "check" or number == LAST:
        return redirect("check", application.public_id)
    return redirect("question", application.public_id, number + 1)


def _bound(request: HttpRequest, application: Application, number: int) -> tuple[AnswerForm, dict[str, Any]]:
    """The form with what was posted, and what else its page shows."""
    if number == size.NUMBER:
        return size.bound(request, application)
    return FORMS[number](request.POST, application=application), {}


def _keep(request: HttpRequest, application: Application, form: AnswerForm) -> Application:
    """Saves; where another answer moved meanwhile but this one did not, there is nothing to ask about."""
    told: dict[str, Any] = {"by": person(request), "answers": form.answers, "now": arrived_at(request)}
    try:
        return applications.save_answers(application=application, version=_version(request), **told)
    except applications.Moved as moved:
        if digest_of(moved.newer, form.question.fields) != request.POST.get("seen"):
            raise
        return applications.save_answers(application=moved.newer, version=moved.newer.version, **told)


def _both_versions(newer: Application, form: AnswerForm) -> dict[str, Any]:
    """What was saved meanwhile, to be shown above what was typed."""
    goals = goals_of(newer) if form.question.key == "goal" else []
    return {"moved": newer, "newer_words": answer_words(newer, form.question), "newer_goals": goals}


def _version(request: HttpRequest) -> int:
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0


def _page_as_posted(
    request: HttpRequest, application: Application, form: AnswerForm, **more: Any
) -> HttpResponse:
    """A form to mend still carries what its person had seen, so that a change meanwhile is not lost sight of."""
    seen = {"version": _version(request), "seen": request.POST.get("seen", "")[:64]}
    return _page(request, application, form, **{**more, **seen})


def _page(request: HttpRequest, application: Application, form: AnswerForm, **more: Any) -> HttpResponse:
    asked = form.question
    only = form[asked.fields[0]] if len(asked.fields) == 1 else None
    context = {
        "application": application,
        "question": asked,
        "form": form,
        "only": only,
        "words": len(str(only.value() or "").split()) if only and asked.guide_words else None,
        "version": application.version,
        "seen": digest_of(application, asked.fields),
        "saved_at": application.updated_at if application.version > 1 else None,
        "before": asked.number - 1,
        "after": asked.number + 1 if asked.number < LAST else None,
        "back": request.GET.get("back") if request.GET.get("back") == "check" else "",
    }
    return render(request, f"grants/question_{_look(form)}.html", context | more)


def _look(form: AnswerForm) -> str:
    return {3: "goal", size.NUMBER: "size"}.get(form.number, "plain")
