"""The site itself: people, audit, mail, access, and the pages that put the stages together."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
