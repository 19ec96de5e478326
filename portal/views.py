"""The shell around the stages: home, my page, an application's page, signing in by link, health."""

from datetime import timedelta
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from allocation import register
from allocation.models import Award, Cluster
from grants.models import Application, Assignment, Call
from portal.access import get_visible_from
from portal.accounts import use_sign_in_link
from portal.help_pages import PAGES, help_page
from portal.journey import timeline
from portal.models import Heartbeat, Mail, User
from portal.refused import Refused

QUEUE_IS_LATE_AFTER = timedelta(minutes=5)
BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    calls = Call.objects.visible_to(request.user)
    context = {
        "open_calls": calls.open_at(now).prefetch_related("pools__gpu_type", "pools__funder")[:6],
        "announced_calls": calls.announced_at(now)[:3],
        "totals": register.totals(),
    }
    return render(request, "portal/home.html", context)


@login_required
@require_safe
def my(request: HttpRequest) -> HttpResponse:
    """Everything that waits for this person, by what they are to it."""
    user = cast(User, request.user)
    rows = Application.objects.filter(group__memberships__user=user.pk).visible_to(user)
    rows = rows.select_related("call").prefetch_related("awards").order_by("-pk")
    context = {
        "page": Paginator(rows, 20).get_page(request.GET.get("page")),
        "reviews_waiting": Assignment.objects.filter(reviewer=user.pk, review__submitted_at=None).count(),
        "chaired_calls": Call.objects.filter(chairs=user.pk).order_by("-pk")[:10],
        "funds": user.funder_seats.select_related("funder"),
        "clusters": Cluster.objects.visible_to(user),
        "open_calls": Call.objects.visible_to(user).open_at(timezone.now())[:3],
    }
    return render(request, "portal/my.html", context)


@login_required
@require_safe
def application(request: HttpRequest, public_id: str) -> HttpResponse:
    rows = Application.objects.filter(group__memberships__user=request.user.pk)
    row = get_visible_from(rows.select_related("call", "gpu_type"), request.user, public_id=public_id)
    context = {
        "application": row,
        "steps": timeline(application=row, now=timezone.now()),
        "receipts": row.receipts.newest_first()[:20],
        "award": Award.objects.visible_to(request.user).filter(application=row).first(),
        "may_write": Application.objects.visible_to(request.user, "write").filter(pk=row.pk).exists(),
        "is_open": row.call.is_open(timezone.now()),
    }
    return render(request, "grants/application.html", context)


@never_cache
@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Signs in by a link that an operator or the demo printed."""
    try:
        user = use_sign_in_link(token=token, now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("account_login")
    login(request, user, backend=BACKEND)
    after = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(after, allowed_hosts=None)
    return redirect(after if is_ours and after else "my")


@require_safe
def demo_mail(request: HttpRequest) -> HttpResponse:
    """The mails of the demo, where nobody has a mailbox. Anywhere else this page is not there."""
    if not settings.IS_DEMO:
        raise Http404
    page = Paginator(Mail.objects.order_by("-pk"), 20).get_page(request.GET.get("page"))
    return render(request, "portal/demo_mail.html", {"page": page})


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """For monitors: 200 while database and queue live, else 503. A cluster that is away is told, not a fault."""
    now = timezone.now()
    try:
        connection.ensure_connection()
        beat = Heartbeat.objects.filter(name="queue").values_list("beat_at", flat=True).first()
        clusters = dict(Cluster.objects.values_list("name", "last_seen_at"))
    except DatabaseError:
        return JsonResponse({"database": "away"}, status=503)
    queue_lives = beat is not None and now - beat < QUEUE_IS_LATE_AFTER
    answer = {
        "database": "ok",
        "queue": "ok" if queue_lives else "silent",
        "queue_beat_seconds_ago": None if beat is None else int((now - beat).total_seconds()),
        "cluster_seconds_ago": {
            name: None if seen is None else int((now - seen).total_seconds())
            for name, seen in clusters.items()
        },
    }
    return JsonResponse(answer, status=200 if queue_lives else 503)


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/help.html", {"pages": PAGES})


@require_safe
def help_topic(request: HttpRequest, name: str) -> HttpResponse:
    if name not in PAGES:
        raise Http404
    return render(request, "portal/help.html", {"pages": PAGES, "topic": help_page(name), "name": name})


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
