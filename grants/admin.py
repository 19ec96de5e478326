"""What reviewers, chairs and operators find in the workroom of calls, applications and reviews."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants import admin_applications, admin_calls, admin_funders, admin_review
from grants.models import Application, Assignment, Call, Funder, State
from portal.admin_base import VisibleAdmin
from portal.lib.dates import parse_zone, say_deadline
from portal.lib.hours import say_hours


class CallFilter(admin.SimpleListFilter):
    """Calls that the person chairs; the stock filter would name all there are."""

    title = gettext_lazy("call")
    parameter_name = "call"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = Call.objects.visible_to(request.user, as_={"chair"})
        return [(str(pk), title) for pk, title in seen.values_list("pk", "title")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(call=value) if value and value.isdecimal() and len(value) < 19 else queryset


class StateFilter(admin.SimpleListFilter):
    """The states in which a chair sees an application: drafts are nobody's business."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, name) for key, name in State.choices if key != State.DRAFT]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() in State.values else queryset


@admin.register(Call)
class CallAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Calls")
    intro = gettext_lazy("The calls that you run. Open one to see how far it is.")
    list_display = ("title", "phase_now", "opens", "closes", "sent")
    search_fields = ("title", "slug")
    add_page = admin_calls.add_call
    change_page = admin_calls.call_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sent = Count("applications", filter=Q(applications__state="submitted"))
        return super().get_queryset(request).annotate(sent=sent)

    def pages(self) -> list[Any]:
        return [
            ("<int:pk>/edit/", admin_calls.change_call, "grants_call_edit"),
            ("<int:pk>/rubric/", admin_calls.change_rubric, "grants_call_rubric"),
            ("<int:pk>/pools/add/", admin_calls.add_pool, "grants_call_add_pool"),
            ("<int:pk>/earmarks/add/", admin_calls.add_earmark, "grants_call_add_earmark"),
            ("<int:pk>/publish/", admin_calls.publish, "grants_call_publish"),
        ]

    @admin.display(description=gettext_lazy("state"))
    def phase_now(self, call: Call) -> str:
        return str(call.phase(timezone.now()).label)

    @admin.display(description=gettext_lazy("opens"), ordering="opens_at")
    def opens(self, call: Call) -> str:
        return say_deadline(call.opens_at, parse_zone(call.zone))

    @admin.display(description=gettext_lazy("closes"), ordering="closes_at")
    def closes(self, call: Call) -> str:
        return say_deadline(call.closes_at, parse_zone(call.zone))

    @admin.display(description=gettext_lazy("applications"), ordering="sent")
    def sent(self, call: Call) -> int:
        return call.sent  # type: ignore[attr-defined]


@admin.register(Application)
class ApplicationAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Applications")
    intro = gettext_lazy("Tick those that need readers, then choose “Assign reviewers”.")
    list_display = ("number", "title", "call", "state", "ask", "reviews_in")
    list_display_links = ("number", "title")
    list_filter = (CallFilter, StateFilter)
    search_fields = ("public_id", "title")
    actions = ("assign_reviewers",)
    change_page = admin_applications.application_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted: QuerySet[Any] = admin_applications.with_counts(super().get_queryset(request))
        return counted

    def pages(self) -> list[Any]:
        return [
            ("assign/", admin_applications.assign_page, "grants_application_assign"),
            ("<int:pk>/identity/", admin_applications.show_identity, "grants_application_identity"),
            ("<int:pk>/ineligible/", admin_applications.mark_ineligible, "grants_application_ineligible"),
            ("<int:pk>/restore/", admin_applications.restore, "grants_application_restore"),
        ]

    @admin.action(description=gettext_lazy("Assign reviewers"))
    def assign_reviewers(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        ids = ",".join(
            str(pk) for pk in chosen.values_list("pk", flat=True)[: admin_applications.MOST_AT_ONCE]
        )
        return redirect(reverse("admin:grants_application_assign") + f"?ids={ids}")

    @admin.display(description=gettext_lazy("number"), ordering="public_id")
    def number(self, application: Application) -> str:
        return application.public_id

    @admin.display(description=gettext_lazy("ask, hours"), ordering="ask_gpu_seconds")
    def ask(self, application: Application) -> str:
        return say_hours(application.ask_gpu_seconds or 0)

    @admin.display(description=gettext_lazy("reviews"))
    def reviews_in(self, application: Any) -> str:
        return _("%(done)s of %(all)s") % {"done": application.reviewed, "all": application.assigned}


@admin.register(Assignment)
class AssignmentAdmin(VisibleAdmin):
    """A reviewer's queue. It shows of an application what its reviewer may know, so it neither sorts nor searches
    by anything else: an order by a hidden title would tell the title."""

    relations = frozenset({"self"})
    desk_name = gettext_lazy("Your reviews")
    intro = gettext_lazy("A title shows after you have said that you have no conflict.")
    list_display = ("number", "title", "call", "due", "state")
    search_fields = ("application__public_id",)
    sortable_by = ()
    change_page = admin_review.review_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = super().get_queryset(request).standing()  # type: ignore[attr-defined]
        found: QuerySet[Any] = mine.select_related("application__call", "review")
        return found.order_by("application__call__scoring_ends_at", "pk")

    @admin.display(description=gettext_lazy("application"))
    def number(self, assignment: Assignment) -> str:
        return assignment.application.public_id

    @admin.display(description=gettext_lazy("title"))
    def title(self, assignment: Assignment) -> str:
        if assignment.declared_at is None:
            return format_html("<em>{}</em>", _("after you declare"))
        return assignment.application.title

    @admin.display(description=gettext_lazy("call"))
    def call(self, assignment: Assignment) -> str:
        return assignment.application.call.title

    @admin.display(description=gettext_lazy("due"))
    def due(self, assignment: Assignment) -> str:
        call = assignment.application.call
        return say_deadline(call.scoring_ends_at, parse_zone(call.zone))

    @admin.display(description=gettext_lazy("state"))
    def state(self, assignment: Assignment) -> str:
        review = getattr(assignment, "review", None)
        if review is not None and review.submitted_at:
            return _("sent")
        if assignment.declared_at is None:
            return _("declare first")
        return _("begun") if review is not None else _("to read")


@admin.register(Funder)
class FunderAdmin(VisibleAdmin):
    relations = frozenset({"chair", "operator"})
    desk_name = gettext_lazy("Funders")
    list_display = ("name", "about")
    search_fields = ("name",)
    add_page = admin_funders.add_funder
    change_page = admin_funders.funder_page

    def pages(self) -> list[Any]:
        return [("<int:pk>/seats/", admin_funders.add_seat, "grants_funder_seat")]
