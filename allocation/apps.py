"""Ranking, award, reservation, usage, report: what becomes of the hours."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AllocationConfig(AppConfig):
    name = "allocation"
    verbose_name = _("Awards and hours")
