"""The chair's pages about applications in the workroom: read, assign, take out, bring back."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from grants import applications, reading, reviews
from grants.admin_forms import AssignForm, ReasonForm
from grants.models import Application, Assignment, Recusal, Review, Score
from grants.rubric import shown, weighted_mean_thousandths
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.models import User
from portal.once import once
from portal.refused import Refused

PAGE = "admin:grants_application_change"
LIST = "admin:grants_application_changelist"
MOST_AT_ONCE = 200
CHAIR = frozenset({"chair"})


def with_counts(found: Any) -> Any:
    """Applications with how many reviews are asked for and in, still in one query."""
    assigned = Count("assignments", filter=~_stood_back(), distinct=True)
    done = Count(
        "assignments",
        filter=Q(assignments__review__submitted_at__isnull=False) & ~_stood_back(),
        distinct=True,
    )
    return found.select_related("call", "gpu_type").annotate(assigned=assigned, reviewed=done)


def _stood_back() -> Q:
    return Q(assignments__pk__in=stood_back_assignments())


def stood_back_assignments() -> Any:
    """Assignments whose reviewer stood back later."""
    recusal = Recusal.objects.filter(application=OuterRef("application"), reviewer=OuterRef("reviewer"))
    return Assignment.objects.filter(Exists(recusal)).values("pk")


def application_page(request: HttpRequest, application: Application) -> HttpResponse:
    """One application: answers, who reviews it and how far, and what a chair can do."""
    return _page(request, application)


def _page(
    request: HttpRequest,
    application: Application,
    *,
    reason: ReasonForm | None = None,
    identity: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    recusals = Recusal.objects.visible_to(request.user, as_=CHAIR).filter(application=application)
    assignments = _assignments(request, application)
    context: dict[str, Any] = {
        "application": application,
        "call": application.call,
        "answers": reading.open_answers(application),
        "identity": identity,
        "assignments": assignments,
        "scores": _scores(application, assignments),
        "recusals": recusals.select_related("reviewer"),
        "reason": reason or ReasonForm(),
    }
    title = application.title or application.public_id
    return workroom_page(request, "admin/grants/application.html", title=title, **context)


def _assignments(request: HttpRequest, application: Application) -> list[dict[str, Any]]:
    """Each standing assignment, with its review once that is sent."""
    seen = Review.objects.visible_to(request.user, as_=CHAIR).submitted()
    scores = Prefetch("scores", Score.objects.select_related("criterion"))
    sent = {
        review.assignment_id: review
        for review in seen.filter(assignment__application=application).prefetch_related(scores)
    }
    found = Assignment.objects.visible_to(request.user, as_=CHAIR).filter(application=application)
    found = found.exclude(pk__in=stood_back_assignments()).select_related("reviewer").order_by("pk")
    return [{"assignment": each, "review": sent.get(each.pk)} for each in found]


def _scores(application: Application, assignments: list[dict[str, Any]]) -> dict[str, Any]:
    """The scores that are in, a line for each criterion and a column for each reviewer."""
    sent = [line for line in assignments if line["review"]]
    points = [{score.criterion.key: score.points for score in line["review"].scores.all()} for line in sent]
    criteria = list(application.call.criteria.all())
    weights = {criterion.key: criterion.weight for criterion in criteria}
    return {
        "reviewers": [line["assignment"].reviewer for line in sent],
        "rows": [(shown(each.name), [given[each.key] for given in points]) for each in criteria],
        "totals": [weighted_mean_thousandths(given, weights) for given in points],
    }


@require_POST
def show_identity(request: HttpRequest, pk: int) -> HttpResponse:
    """Who applies: shown on demand, and the look is written into the audit log."""
    application = _chaired(request, pk)
    reviews.note_identity_read(application=application, by=cast(User, request.user), now=_now(request))
    who = reading.identity(application) + reading.contact(application)
    return _page(request, application, identity=who)


@require_POST
@once
def mark_ineligible(request: HttpRequest, pk: int) -> HttpResponse:
    application, form = _chaired(request, pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, application, reason=form)
    try:
        applications.mark_ineligible(
            application=application,
            by=cast(User, request.user),
            reason=form.cleaned_data["reason"],
            now=_now(request),
        )
        messages.success(request, _("The application is out of the call. The group can read why."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect(PAGE, application.pk)


@require_POST
@once
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    application = _chaired(request, pk)
    try:
        applications.restore(application=application, by=cast(User, request.user), now=_now(request))
        messages.success(request, _("The application is back in the call."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect(PAGE, application.pk)


@once
def assign_page(request: HttpRequest) -> HttpResponse:
    """Chosen applications on one side, reviewers with their load on the other."""
    chosen = _chosen(request)
    form = AssignForm(request.POST or None, reviewers=_reviewers(request))
    if request.method == "POST" and form.is_valid():
        _assign_all(request, chosen, list(form.cleaned_data["reviewers"]))
        return redirect(PAGE, chosen[0].pk) if len(chosen) == 1 else redirect(LIST)
    context: dict[str, Any] = {
        "applications": chosen,
        "form": form,
        "ids": ",".join(str(each.pk) for each in chosen),
    }
    return workroom_page(request, "admin/grants/assign.html", title=_("Assign reviewers"), **context)


def _chosen(request: HttpRequest) -> list[Application]:
    """The ticked applications that the chair sees; 404 when there is none."""
    ids = request.POST.get("ids", request.GET.get("ids", "")).split(",")[:MOST_AT_ONCE]
    seen = with_counts(Application.objects.visible_to(request.user, as_=CHAIR))
    chosen = list(seen.filter(pk__in=[each for each in ids if each.isdecimal() and len(each) < 19]))
    if not chosen:
        raise Http404
    return chosen


def _reviewers(request: HttpRequest) -> Any:
    waiting = Count("assignments", filter=Q(assignments__review__submitted_at=None))
    seen = User.objects.visible_to(request.user, as_=CHAIR)
    return seen.annotate(waiting=waiting).order_by("display_name", "pk")


def _assign_all(request: HttpRequest, chosen: list[Application], reviewers: list[User]) -> None:
    """Makes each pair that has no known conflict, and says which were not made and why."""
    pairs = [(application, reviewer) for application in chosen for reviewer in reviewers]
    made = sum(_is_assigned(request, *pair) for pair in pairs)
    if made:
        text = ngettext("%(count)s assignment was made.", "%(count)s assignments were made.", made)
        messages.success(request, text % {"count": made})


def _is_assigned(request: HttpRequest, application: Application, reviewer: User) -> bool:
    by = cast(User, request.user)
    try:
        reviews.assign(application=application, reviewer=reviewer, by=by, now=_now(request))
    except Refused as no:
        words = {"id": application.public_id, "person": reviewer, "why": no}
        messages.warning(request, _("Not assigned: %(id)s to %(person)s. %(why)s") % words)
        return False
    return True


def _chaired(request: HttpRequest, pk: int) -> Application:
    found = Application.objects.select_related("call", "gpu_type", "owner")
    return get_visible_from(found, request.user, as_=CHAIR, pk=pk)


def _now(request: HttpRequest) -> Any:
    return request.arrived_at  # type: ignore[attr-defined]
