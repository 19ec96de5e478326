"""Every page of the demo, for people to look at: `python -m tests.screens FOLDER` takes pictures at 360 and 1280 px.

The list of pages is also what tests/journeys/test_looks.py visits.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

WIDTHS = (360, 1280)
HEIGHT = 800
VISITOR = "visitor"
NOT_FOUND = "not-found"
DOMAIN = "demo.example"

# These have no look of their own: downloads, answers for machines, and forms that are sent from another page.
WITHOUT_LOOKS = frozenset(
    {
        "accept_award",
        "admin:allocation_allocationrun_approve",
        "admin:allocation_allocationrun_discard",
        "admin:allocation_allocationrun_release",
        "admin:allocation_award_pause",
        "admin:allocation_award_resume",
        "admin:allocation_award_revoke",
        "admin:allocation_cluster_close",
        "admin:allocation_cluster_login",
        "admin:allocation_ranking_propose",
        "admin:allocation_report_again",
        "admin:allocation_reservation_cancel",
        "admin:grants_application_identity",
        "admin:grants_application_ineligible",
        "admin:grants_application_restore",
        "admin:grants_call_publish",
        "admin:grants_funder_seat",
        "admin:jsi18n",
        "admin:login",
        "admin:logout",
        "admin:portal_user_role",
        "ask_for_award_report",
        "ask_for_report",
        "enter",
        "give_back",
        "healthz",
        "receipt_content",
        "register_csv",
        "register_json",
        "report_csv",
        "report_pdf",
        "run_bundle",
    }
)


class Seen(NamedTuple):
    """A page, who looks at it, and the name of its picture."""

    role: str
    name: str
    path: str


def pages() -> list[Seen]:
    """Every page with a look, by the demo's own rows. Django must be set up and the demo loaded."""
    return [*_open_pages(), *_account_pages(), *_applicants_pages(), *_workroom_pages()]


def _open_pages() -> list[Seen]:
    from django.urls import reverse

    from allocation.models import AllocationRun
    from portal.help_pages import PAGES

    run = AllocationRun.objects.get(state="released")
    named = [
        ("home", reverse("home")),
        ("calls", reverse("calls")),
        ("call-open", reverse("call", args=["spring"])),
        ("call-decided", reverse("call", args=["local-languages"])),
        ("call-questions", reverse("call_questions", args=["spring"])),
        ("apply-visitor", reverse("apply", args=["spring"])),
        ("estimate", reverse("estimate")),
        ("estimate-done", reverse("estimate") + "?model=lora_7b&amount=50000&passes=3&card=a100_40&grid=BD"),
        ("register", reverse("register")),
        ("register-empty", reverse("register") + "?sdg=17"),
        ("run", reverse("run", args=[run.public_id])),
        ("help", reverse("help")),
        *((f"help-{name}", reverse("help_topic", args=[name])) for name in PAGES),
        ("demo-mail", reverse("demo_mail")),
        ("sign-in", reverse("account_login")),
        ("sign-up", reverse("account_signup")),
        (NOT_FOUND, "/nothing-here/"),
    ]
    return [Seen(VISITOR, name, path) for name, path in named]


def _account_pages() -> list[Seen]:
    from django.urls import reverse

    names = ("account_email", "mfa_index", "usersessions_list", "account_logout")
    return [Seen("applicant", name.replace("_", "-"), reverse(name)) for name in names]


def _applicants_pages() -> list[Seen]:
    from django.urls import reverse

    from allocation.models import Award, Decision, Report
    from grants.models import Application

    def of(name: str, row: Any, *more: Any) -> str:
        return reverse(name, args=[row.public_id, *more])

    mine = Application.objects.filter(owner__email=f"applicant@{DOMAIN}")
    draft, waiting = mine.get(call__slug="spring"), mine.get(call__slug="water-and-health")
    award = Award.objects.get(application__in=mine)
    declined = Decision.objects.filter(outcome="declined").earliest("pk").application
    report = Report.objects.earliest("pk")
    return [
        Seen("applicant", "my", reverse("my")),
        Seen("applicant", "apply", reverse("apply", args=["spring"])),
        *(Seen("applicant", f"question-{n:02}", of("question", draft, n)) for n in range(1, 13)),
        Seen("applicant", "check", of("check", draft)),
        Seen("applicant", "timeline-draft", of("application", draft)),
        Seen("applicant", "timeline-waiting", of("application", waiting)),
        Seen("applicant", "timeline-awarded", of("application", award.application)),
        Seen("applicant", "receipt", of("receipt", waiting)),
        Seen("applicant", "withdraw", of("withdraw", waiting)),
        Seen("applicant", "decision", of("decision", award.application)),
        Seen("applicant", "award", reverse("award", args=[award.account_name])),
        Seen("applicant", "progress-note", reverse("progress_note", args=[award.account_name])),
        Seen("declined", "decision-declined", of("decision", declined)),
        Seen("funder", "my-funder", reverse("my")),
        Seen("funder", "funder", reverse("funder")),
        Seen("funder", "report", of("report_html", report)),
    ]


def _workroom_pages() -> list[Seen]:
    from django.urls import reverse

    from allocation.models import AllocationRun, Award, Cluster, Ranking, Report, Reservation
    from grants.models import Application, Assignment, Call, Funder
    from portal.models import User

    def of(model: type[Any], page: str = "change", **lookup: Any) -> str:
        found = model.objects.filter(**lookup).earliest("pk")
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[found.pk])

    def listed(model: type[Any], page: str = "changelist") -> str:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")

    mine, index = {"reviewer__email": f"reviewer@{DOMAIN}"}, reverse("admin:index")
    read = Application.objects.filter(call__slug="classrooms").earliest("pk")
    assign = reverse("admin:grants_application_assign") + f"?ids={read.pk}"
    return [
        Seen("reviewer", "desk-reviewer", index),
        Seen("reviewer", "desk-reviews", listed(Assignment)),
        Seen("reviewer", "desk-declare", of(Assignment, **mine, declared_at=None)),
        Seen(
            "reviewer",
            "desk-review-begun",
            of(Assignment, **mine, review__submitted_at=None, declared_at__gt="2000-01-01T00:00Z"),
        ),
        Seen(
            "reviewer",
            "desk-review-sent",
            of(Assignment, **mine, review__submitted_at__gt="2000-01-01T00:00Z"),
        ),
        Seen("chair", "desk-chair", index),
        Seen("chair", "desk-grants", reverse("admin:app_list", args=["grants"])),
        Seen("chair", "desk-calls", listed(Call)),
        Seen("chair", "desk-call-new", listed(Call, "add")),
        Seen("chair", "desk-call", of(Call, slug="coming")),
        Seen("chair", "desk-call-edit", of(Call, "edit", slug="coming")),
        Seen("chair", "desk-call-rubric", of(Call, "rubric", slug="coming")),
        Seen("chair", "desk-call-pool", of(Call, "add_pool", slug="coming")),
        Seen("chair", "desk-call-earmark", of(Call, "add_earmark", slug="coming")),
        Seen("chair", "desk-applications", listed(Application)),
        Seen("chair", "desk-application", of(Application, call__slug="local-languages")),
        Seen("chair", "desk-assign", assign),
        Seen("chair", "desk-funders", listed(Funder)),
        Seen("chair", "desk-rankings", listed(Ranking)),
        Seen("chair", "desk-freeze", listed(Ranking, "add")),
        Seen("chair", "desk-ranking", of(Ranking)),
        Seen("chair", "desk-runs", listed(AllocationRun)),
        Seen("chair", "desk-run", of(AllocationRun)),
        Seen("chair", "desk-awards", listed(Award)),
        Seen("chair", "desk-award", of(Award)),
        Seen("chair", "desk-reports", listed(Report)),
        Seen("chair", "desk-report-new", listed(Report, "add")),
        Seen("chair", "desk-report", of(Report)),
        Seen("operator", "desk-operator", index),
        Seen("operator", "desk-people", listed(User)),
        Seen("operator", "desk-person", of(User)),
        Seen("operator", "desk-audit", reverse("admin:portal_auditentry_changelist")),
        Seen("operator", "desk-mails", reverse("admin:portal_mail_changelist")),
        Seen("operator", "desk-funder-new", listed(Funder, "add")),
        Seen("operator", "desk-funder", of(Funder)),
        Seen("operator", "desk-clusters", listed(Cluster)),
        Seen("operator", "desk-cluster", of(Cluster)),
        Seen("operator", "desk-slots", listed(Reservation)),
        Seen("operator", "desk-slot", of(Reservation)),
    ]


def status_of(name: str) -> int:
    return 404 if name == NOT_FOUND else 200


def load_what_the_demo_leaves_open() -> None:
    """What a person would begin in the demo: a draft, a review, a call that is not published."""
    from django.utils import timezone

    from grants import calls, reviews
    from grants.models import Assignment, Call, Funder, GpuType
    from portal.models import User
    from tests import factories

    now = timezone.now()
    chair = User.objects.get(email=f"chair@{DOMAIN}")
    factories.a_draft(
        call=Call.objects.get(slug="spring"), owner=User.objects.get(email=f"applicant@{DOMAIN}")
    )
    begun = Assignment.objects.filter(reviewer__email=f"reviewer@{DOMAIN}", declared_at=None).latest("pk")
    reviews.declare(assignment=begun, by=begun.reviewer, now=now)
    begun.refresh_from_db()
    words: dict[str, Any] = {"strength": "Clear chain.", "fix": "", "harm": "", "harm_note": ""}
    key = begun.application.call.criteria.earliest("order").key
    reviews.save_review(assignment=begun, by=begun.reviewer, scores={key: 4}, now=now, **words)
    coming = calls.create_from_preset(
        preset="standard",
        slug="coming",
        title="Autumn call",
        summary="Hours for groups that were left out so far.",
        zone="Asia/Dhaka",
        dates=factories.some_dates(opens=factories.at(days=3), closes=factories.at(days=40)),
        largest_ask_gpu_seconds=500 * factories.HOUR,
        chair=chair,
        now=now,
    )
    told: dict[str, Any] = {"gpu_type": GpuType.objects.get(key="a100"), "gpu_seconds": 800 * factories.HOUR}
    calls.add_pool(call=coming, funder=Funder.objects.earliest("pk"), by=chair, now=now, **told)


def person_of(role: str) -> Any:
    """The demo's person in that role, None for a visitor; `declined` is somebody whose application got no hours."""
    from allocation.models import Decision
    from portal.models import User

    if role == VISITOR:
        return None
    if role == "declined":
        return Decision.objects.filter(outcome="declined").earliest("pk").application.owner
    return User.objects.get(email=f"{role}@{DOMAIN}")


@contextmanager
def demo_site(data: Path) -> Iterator[str]:
    """The demo with web and worker; its address."""
    environment = {**os.environ, "OPENHOURS_DATA": str(data)}
    command = [sys.executable, "manage.py", "quickstart", "--port", "8500"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            runs = next(
                found for line in process.stdout if (found := re.search(r"runs at (http://[\d.:]+)/", line))
            )
            yield runs.group(1)
        finally:
            process.send_signal(signal.SIGINT)


def take_pictures(site: str, folder: Path) -> None:
    from django.utils import timezone
    from playwright.sync_api import sync_playwright

    from portal.accounts import make_sign_in_link
    from tests import chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_arguments())
        for width in WIDTHS:
            contexts: dict[str, Any] = {}
            for role, name, path in pages():
                if role not in contexts:
                    contexts[role] = browser.new_context(viewport={"width": width, "height": HEIGHT})
                    if role != VISITOR:
                        link = make_sign_in_link(user=person_of(role), now=timezone.now())
                        contexts[role].request.get(site + link)
                page = contexts[role].new_page()
                answer = page.goto(site + path)
                page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
                wide = page.evaluate("document.documentElement.scrollWidth")
                print(f"{width:5} {name:24} {answer.status} {'SCROLLS SIDEWAYS' if wide > width else ''}")
                page.close()
        browser.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="openhours-screens-") as data, demo_site(Path(data)) as site:
        os.environ.update(
            OPENHOURS_DATA=data,
            OPENHOURS_DEMO="true",
            DJANGO_SETTINGS_MODULE="portal.settings",
            DJANGO_ALLOW_ASYNC_UNSAFE="true",
        )
        import django

        django.setup()
        load_what_the_demo_leaves_open()
        take_pictures(site, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.screens FOLDER")
    main(Path(sys.argv[1]))
