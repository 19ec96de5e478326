"""Ranking, award, reservation, usage, report: what becomes of the hours."""

from django.apps import AppConfig


class AllocationConfig(AppConfig):
    name = "allocation"
