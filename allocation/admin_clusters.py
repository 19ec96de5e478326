"""What operators find in the workroom: clusters, their upkeep and logins, and the reservations on them."""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from allocation import checks, logins, reservations
from allocation.cluster_forms import CloseTimeForm, LoginForm
from allocation.clusters.base import ClusterAway, Finding
from allocation.models import Cluster, ClusterLogin, Reservation
from portal.access import get_visible
from portal.admin_base import VisibleAdmin, workroom_page
from portal.models import User
from portal.once import once
from portal.refused import Refused

OPERATOR = frozenset({"operator"})
PAGE = "admin:allocation_cluster_change"


def cluster_page(request: HttpRequest, cluster: Cluster, form: CloseTimeForm | None = None) -> HttpResponse:
    """One cluster: when it was reached, what was found wrong, when it is closed, who works there."""
    context: dict[str, Any] = {
        "cluster": cluster,
        "gpus": cluster.gpus.values("node", "gpu_type__name").annotate(count=Count("pk")).order_by("node"),
        "findings": _findings(request, cluster) if "look" in request.GET else None,
        "closed": cluster.maintenances.filter(ends_at__gt=_now(request)).order_by("starts_at"),
        "form": form or _close_form(cluster),
        "logins": cluster.logins.order_by("name"),
    }
    title = _("Cluster %(name)s") % {"name": cluster.name}
    return workroom_page(request, "admin/allocation/cluster.html", title=title, **context)


def _findings(request: HttpRequest, cluster: Cluster) -> list[Finding]:
    """The operator asked for a look now and waits for it: each command has its time limit."""
    try:
        return checks.findings(cluster, timezone.now())
    except (ClusterAway, Refused) as fault:
        messages.error(request, str(fault))
        return []


def _close_form(cluster: Cluster, data: Any = None) -> CloseTimeForm:
    nodes = sorted(set(cluster.gpus.values_list("node", flat=True)))
    return CloseTimeForm(data, nodes=nodes, zone=cluster.zone)


@require_POST
@once
def close_time(request: HttpRequest, pk: int) -> HttpResponse:
    cluster = get_visible(Cluster, request.user, "write", pk=pk)
    form = _close_form(cluster, request.POST)
    if form.is_valid():
        by = cast(User, request.user)
        try:
            reservations.close_time(cluster=cluster, by=by, now=_now(request), **form.cleaned_data)
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, _("Closed. Groups with slots in that time have a mail."))
            return redirect(PAGE, pk)
    return cluster_page(request, cluster, form)


@require_POST
@once
def rename_login(request: HttpRequest, pk: int, login_pk: int) -> HttpResponse:
    cluster = get_visible(Cluster, request.user, "write", pk=pk)
    login = ClusterLogin.objects.filter(cluster=cluster, pk=login_pk).first()
    form = LoginForm(request.POST)
    if login is None or not form.is_valid():
        messages.error(request, _("Write the name that the person has on the cluster."))
        return redirect(PAGE, pk)
    by = cast(User, request.user)
    try:
        logins.rename_login(login=login, name=form.cleaned_data["name"], by=by, now=_now(request))
        messages.success(request, _("Saved. The next reconcile lets this name into the account."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect(PAGE, pk)


def slot_page(request: HttpRequest, row: Reservation) -> HttpResponse:
    rows = Reservation.objects.filter(slot_name=row.slot_name).select_related("gpu__gpu_type", "award")
    context: dict[str, Any] = {
        "row": row,
        "rows": rows.order_by("gpu"),
        "cluster": row.gpu.cluster,
        "may_cancel": row.state in ("planned", "placed", "running"),
    }
    title = _("Slot %(name)s") % {"name": row.slot_name}
    return workroom_page(request, "admin/allocation/slot.html", title=title, **context)


@require_POST
@once
def cancel_slot(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(Reservation, request.user, "write", pk=pk)
    try:
        by = cast(User, request.user)
        reservations.cancel_slot(slot_name=row.slot_name, by=by, now=_now(request))
        messages.success(request, _("Given up. The next reconcile takes it off the cluster."))
    except Refused as no:
        messages.error(request, str(no))
    return redirect("admin:allocation_reservation_change", pk)


def _now(request: HttpRequest) -> datetime:
    return cast(datetime, request.arrived_at)  # type: ignore[attr-defined]


@admin.register(Cluster)
class ClusterAdmin(VisibleAdmin):
    relations = OPERATOR
    desk_name = gettext_lazy("Clusters")
    intro = gettext_lazy("Where jobs run. A cluster is attached by “manage.py attach”.")
    list_display = ("name", "kind", "version", "unit", "last_seen_at", "last_error", "metered_to")
    change_page = cluster_page

    def pages(self) -> list[Any]:
        return [
            ("<int:pk>/close/", close_time, "allocation_cluster_close"),
            ("<int:pk>/logins/<int:login_pk>/", rename_login, "allocation_cluster_login"),
        ]


@admin.register(Reservation)
class ReservationAdmin(VisibleAdmin):
    relations = OPERATOR
    desk_name = gettext_lazy("Reservations")
    intro = gettext_lazy("Each GPU that is or was held for an award. Rows of one slot belong together.")
    list_display = ("slot_name", "award", "gpu", "starts_at", "ends_at", "state")
    list_filter = ("state",)
    search_fields = ("slot_name", "award__account_name")
    change_page = slot_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("award", "gpu__cluster")

    def pages(self) -> list[Any]:
        return [("<int:pk>/give-up/", cancel_slot, "allocation_reservation_cancel")]
