"""The reviewer's page in the workroom: declare, read, score, send. Registered by grants.admin."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from grants import reading, reviews
from grants.admin_forms import ReviewForm, StandBackForm, show_faults
from grants.models import Application, Assignment, Call, Criterion, Harm, Review
from grants.rubric import anchor_words, shown, weighted_mean_thousandths
from portal.access import get_visible_from
from portal.admin_base import workroom_page
from portal.once import once
from portal.refused import Refused

QUEUE = "admin:grants_assignment_changelist"
PAGE = "admin:grants_assignment_change"
HARM_WORDS = ("harm", "harm_note", "strength", "fix")


@dataclass(frozen=True)
class Line:
    """One criterion on the page: its words, what is chosen, what is wrong."""

    criterion: Criterion
    name: str
    words: list[tuple[int, str, bool]]
    errors: list[str]


@once
def review_page(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    """One assignment: the declaration first, the application and the rubric after it."""
    if request.method == "POST":
        return _posted(request, assignment)
    if assignment.declared_at is None:
        return _declaration(request, assignment, StandBackForm())
    return _scoring(request, assignment)


def _posted(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    step = {"declare": _declare, "stand_back": _stand_back, "send": _send}.get(
        request.POST.get("step", ""), _save
    )
    try:
        return step(request, assignment)
    except Refused as no:
        messages.error(request, str(no))
        return redirect(QUEUE)


def _declare(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    reviews.declare(assignment=assignment, by=_person(request), now=_now(request))
    return redirect(PAGE, assignment.pk)


def _stand_back(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    form = StandBackForm(request.POST)
    if not form.is_valid():
        if assignment.declared_at is None:
            return _declaration(request, assignment, form)
        return _scoring(request, assignment, stand_back=form)
    reviews.recuse(
        assignment=assignment, kind=form.cleaned_data["kind"], by=_person(request), now=_now(request)
    )
    messages.success(
        request, _("You stood back. The application is closed to you; the chair finds somebody.")
    )
    return redirect(QUEUE)


def _save(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    form = ReviewForm(request.POST, criteria=_criteria(assignment))
    if not form.is_valid() or not _kept(request, assignment, form):
        return _scoring(request, assignment, form)
    messages.success(request, _("Saved. Nothing is sent yet."))
    return redirect(PAGE, assignment.pk)


def _send(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    """Keeps what was typed first, so that a review that is not whole yet loses nothing."""
    form = ReviewForm(request.POST, criteria=_criteria(assignment))
    if not form.is_valid() or not _kept(request, assignment, form):
        return _scoring(request, assignment, form)
    try:
        reviews.submit_review(assignment=assignment, by=_person(request), now=_now(request))
    except Refused as no:
        messages.error(request, str(no))
        return redirect(f"{_path(assignment)}?check=1")
    messages.success(request, _("Your review is sent. Its scores are locked."))
    following = _waiting(request).first()
    return redirect(PAGE, following.pk) if following else redirect(QUEUE)


def _kept(request: HttpRequest, assignment: Assignment, form: ReviewForm) -> bool:
    try:
        reviews.save_review(assignment=assignment, by=_person(request), now=_now(request), **form.for_stage())
    except Refused as no:
        show_faults(form, no.fields, str(no))
        return False
    return True


def _declaration(request: HttpRequest, assignment: Assignment, form: StandBackForm) -> HttpResponse:
    """Nothing of the application but its number: what it says may tell who wrote it."""
    application = assignment.application
    context: dict[str, Any] = {"assignment": assignment, "call": application.call, "form": form}
    title = _("Application %(id)s") % {"id": application.public_id}
    return workroom_page(request, "admin/grants/declare.html", title=title, **context)


def _scoring(
    request: HttpRequest,
    assignment: Assignment,
    form: ReviewForm | None = None,
    stand_back: StandBackForm | None = None,
) -> HttpResponse:
    rows = Application.objects.select_related("call", "gpu_type")
    application = get_visible_from(rows, request.user, pk=assignment.application_id)
    review = Review.objects.filter(assignment=assignment).first()
    form = form or _form_of(request, assignment, review)
    context = {
        "form": form,
        "stand_back": stand_back or StandBackForm(),
        "is_locked": bool(review and review.submitted_at),
        "following": _waiting(request).exclude(pk=assignment.pk).first(),
        **_application(application, _now(request)),
        **_rubric(assignment, form),
    }
    title = application.title or application.public_id
    return workroom_page(request, "admin/grants/review.html", title=title, **context)


def _application(application: Application, now: datetime) -> dict[str, Any]:
    """What the reviewer may know of the application."""
    return {
        "application": application,
        "call": application.call,
        "answers": reading.open_answers(application),
        "identity": [] if application.call.is_blind else reading.identity(application),
        "is_open": application.call.is_open(now),
    }


def _form_of(request: HttpRequest, assignment: Assignment, review: Review | None) -> ReviewForm:
    """The form filled with what is kept; with ?check=1 it also says what is missing."""
    initial: dict[str, Any] = {}
    if review is not None:
        initial = {name: getattr(review, name) for name in HARM_WORDS}
        for key, points in review.scores.values_list("criterion__key", "points"):
            initial[f"score_{key}"] = points
    if "check" not in request.GET:
        return ReviewForm(criteria=_criteria(assignment), initial=initial)
    form = ReviewForm(initial, criteria=_criteria(assignment))
    for name, remedy in reviews.missing_in(review, assignment.application.call).items():
        form.add_error(name, remedy)
    return form


def _rubric(assignment: Assignment, form: ReviewForm) -> dict[str, Any]:
    """The lines of the rubric and the total so far, over the criteria that have points."""
    lines, chosen, weights = [], {}, {}
    for criterion in _criteria(assignment):
        field = form[f"score_{criterion.key}"]
        value = str(field.value() if field.value() is not None else "")
        words = [(points, text, value == str(points)) for points, text in anchor_words(criterion.anchors)]
        lines.append(Line(criterion, shown(criterion.name), words, [str(error) for error in field.errors]))
        if value in {str(points) for points, _text, _is in words}:
            chosen[criterion.key], weights[criterion.key] = int(value), criterion.weight
    total = weighted_mean_thousandths(chosen, weights) if sum(weights.values()) else None
    harms = [(key, name, form["harm"].value() == key) for key, name in Harm.choices]
    return {"lines": lines, "harms": harms, "total": total, "scored": len(chosen), "of": len(lines)}


def _criteria(assignment: Assignment) -> list[Criterion]:
    call: Call = assignment.application.call
    if not hasattr(assignment, "rubric_lines"):
        assignment.rubric_lines = list(call.criteria.all())  # type: ignore[attr-defined]
    lines: list[Criterion] = assignment.rubric_lines  # type: ignore[attr-defined]
    return lines


def _waiting(request: HttpRequest) -> Any:
    """The reviewer's other assignments that are not sent yet, the most urgent first."""
    own = Assignment.objects.visible_to(request.user, "write", as_={"self"}).standing()
    unsent = own.exclude(review__submitted_at__isnull=False).filter(application__call__released_at=None)
    return unsent.order_by("application__call__scoring_ends_at", "pk")


def _path(assignment: Assignment) -> str:
    return redirect(PAGE, assignment.pk).url


def _person(request: HttpRequest) -> Any:
    return request.user


def _now(request: HttpRequest) -> datetime:
    arrived_at: datetime = request.arrived_at  # type: ignore[attr-defined]
    return arrived_at
