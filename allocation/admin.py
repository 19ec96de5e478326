"""What chairs and operators find in the workroom of rankings, runs, awards and clusters."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from allocation import (
    admin_awards,
    admin_clusters,  # noqa: F401 (registers its lists)
    admin_reports,  # noqa: F401 (as above)
    admin_runs,
)
from allocation.models import AllocationRun, Award, Ranking
from portal.admin_base import VisibleAdmin
from portal.lib.hours import say_hours


@admin.register(Ranking)
class RankingAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Rankings")
    intro = gettext_lazy("Freeze a ranking when the scores are in. A run is proposed from it.")
    list_display = ("call", "made_at", "applications", "digest")
    list_select_related = ("call",)
    add_page = admin_runs.freeze_page
    change_page = admin_runs.ranking_page

    def pages(self) -> list[Any]:
        return [("<int:pk>/propose/", admin_runs.propose, "allocation_ranking_propose")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("call").annotate(applications=Count("rows"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody edits a ranking, but each chair may have one made."""
        return self.has_module_permission(request)

    @admin.display(description=gettext_lazy("applications"), ordering="applications")
    def applications(self, ranking: Ranking) -> int:
        return ranking.applications  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("digest"))
    def digest(self, ranking: Ranking) -> str:
        return f"{ranking.input_sha256[:8]}…"


@admin.register(AllocationRun)
class RunAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Runs")
    intro = gettext_lazy(
        "Proposals of the allocator. Approve one, then release it: only then is anybody told."
    )
    list_display = ("public_id", "call", "rule", "state", "state_since")
    list_select_related = ("call",)
    list_filter = ("state",)
    change_page = admin_runs.run_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the bundles, which a list does not show."""
        return super().get_queryset(request).select_related("call").defer("problem", "result")

    def pages(self) -> list[Any]:
        return [
            ("<int:pk>/approve/", admin_runs.approve, "allocation_allocationrun_approve"),
            ("<int:pk>/release/", admin_runs.release, "allocation_allocationrun_release"),
            ("<int:pk>/discard/", admin_runs.discard, "allocation_allocationrun_discard"),
        ]


@admin.register(Award)
class AwardAdmin(VisibleAdmin):
    relations = frozenset({"chair"})
    desk_name = gettext_lazy("Awards")
    intro = gettext_lazy("Hours that were granted in your calls.")
    list_display = ("account_name", "title", "hours", "state", "ends_at")
    list_filter = ("state",)
    search_fields = ("account_name", "application__public_id")
    change_page = admin_awards.award_page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("application", "pool__call")

    def pages(self) -> list[Any]:
        return [
            ("<int:pk>/pause/", admin_awards.pause, "allocation_award_pause"),
            ("<int:pk>/resume/", admin_awards.resume, "allocation_award_resume"),
            ("<int:pk>/revoke/", admin_awards.revoke, "allocation_award_revoke"),
        ]

    @admin.display(description=gettext_lazy("application"))
    def title(self, award: Award) -> str:
        return str(award.application)

    @admin.display(description=gettext_lazy("hours"), ordering="gpu_seconds")
    def hours(self, award: Award) -> str:
        return say_hours(award.gpu_seconds)
