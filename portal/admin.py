"""What an operator finds in the workroom: people and their roles, the audit log, mails."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal import people
from portal.access import get_visible_from
from portal.admin_base import VisibleAdmin, workroom_page
from portal.models import AuditEntry, Mail, User
from portal.once import once
from portal.refused import Refused

ROLE_NAMES = {
    "chair": gettext_lazy("Chair: runs calls"),
    "reviewer": gettext_lazy("Reviewer: reads and scores"),
    "operator": gettext_lazy("Operator: people, clusters, this installation"),
}


def person_page(request: HttpRequest, person: User) -> HttpResponse:
    roles = [(role, name, getattr(person, people.ROLES[role])) for role, name in ROLE_NAMES.items()]
    return workroom_page(request, "admin/portal/person.html", title=str(person), person=person, roles=roles)


@require_POST
@once
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the role that is named, or takes it back."""
    person = get_visible_from(User.objects.all(), request.user, "write", as_={"operator"}, pk=pk)
    stage = people.take_role if "take" in request.POST else people.give_role
    role = request.POST.get("take") or request.POST.get("give", "")
    try:
        stage(user=person, role=role, by=cast(User, request.user), now=request.arrived_at)  # type: ignore[attr-defined]
        messages.success(request, _("Saved."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect("admin:portal_user_change", person.pk)


@admin.register(User)
class UserAdmin(VisibleAdmin):
    relations = frozenset({"operator"})
    desk_name = gettext_lazy("People")
    intro = gettext_lazy("Open a person to give or take a role.")
    list_display = ("email", "display_name", "is_chair", "is_reviewer", "is_operator", "is_active")
    list_filter = ("is_chair", "is_reviewer", "is_operator", "is_active")
    search_fields = ("email", "display_name")
    ordering = ("email",)
    change_page = person_page

    def pages(self) -> list[Any]:
        return [("<int:pk>/role/", change_role, "portal_user_role")]


@admin.register(AuditEntry)
class AuditEntryAdmin(VisibleAdmin):
    relations = frozenset({"operator"})
    desk_name = gettext_lazy("Audit log")
    intro = gettext_lazy("Who did what, for good. Nobody can change or delete a line.")
    list_display = ("at", "by", "did", "subject_kind", "subject_id", "detail")
    list_display_links = None
    search_fields = ("did", "subject_kind", "subject_id")
    ordering = ("-pk",)
    with_change_page = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("by")


@admin.register(Mail)
class MailAdmin(VisibleAdmin):
    """Whether mails went out. Their texts stay closed: they hold codes and decisions."""

    relations = frozenset({"operator"})
    desk_name = gettext_lazy("Mails")
    list_display = ("queued_at", "to_address", "state", "attempts", "sent_at", "last_error")
    list_display_links = None
    list_filter = ("state",)
    search_fields = ("to_address",)
    ordering = ("-pk",)
    with_change_page = False
