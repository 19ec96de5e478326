"""The site itself: people, audit, mail, access, and the pages that put the stages together."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("People and this site")
