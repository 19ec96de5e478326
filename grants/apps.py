"""Call, application, review: what happens before hours are decided on. Knows nothing of clusters."""

from django.apps import AppConfig


class GrantsConfig(AppConfig):
    name = "grants"
