"""Puts the workroom in the place of Django's own admin site; named in INSTALLED_APPS."""

from django.contrib.admin.apps import AdminConfig


class WorkroomConfig(AdminConfig):
    default_site = "portal.admin_site.Workroom"
