"""The page before the twelve questions: what is asked, what happens then, and the button that begins."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from grants import applications
from grants.models import Application, Call, State
from grants.questions import QUESTIONS
from grants.views.common import arrived_at, person
from portal.access import get_visible
from portal.once import once
from portal.refused import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@once
def apply(request: HttpRequest, slug: str) -> HttpResponse:
    call = get_visible(Call, request.user, slug=slug)
    if request.method != "POST":
        is_open = call.is_open(arrived_at(request))
        return render(
            request, "grants/apply.html", {"call": call, "is_open": is_open, "questions": QUESTIONS}
        )
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    try:
        begun = applications.begin(
            call=call, user=person(request), language=get_language() or "en", now=arrived_at(request)
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("call", slug)
    return _led_on(begun)


def _led_on(application: Application) -> HttpResponse:
    """To the first question of a new draft, to the check page of a begun one, to the timeline of a sent one."""
    if application.state == State.SUBMITTED:
        return redirect("application", application.public_id)
    if application.version > 1:
        return redirect("check", application.public_id)
    return redirect("question", application.public_id, 1)
