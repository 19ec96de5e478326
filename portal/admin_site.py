"""The workroom: Django's admin for those who have a role. Made by portal.admin_apps, reached at /admin/."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.admin_base import VisibleAdmin

# Pages of the stock admin that would show rows, or change an account, past the table in portal.access.
LEFT_OUT = frozenset({"view_on_site", "autocomplete", "password_change", "password_change_done"})


class Workroom(admin.AdminSite):
    """Holds only VisibleAdmin lists; a page that a person may not open answers 404."""

    site_title = gettext_lazy("Openhours")
    site_header = gettext_lazy("Openhours")
    index_title = gettext_lazy("Your desk")
    empty_value_display = "–"
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes our own lists; those that other packages bring rest on Django's permissions and stay out."""
        if admin_class is not None and issubclass(admin_class, VisibleAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def unregister(self, model_or_iterable: Any) -> None:
        """Other packages take back what they believe to have registered."""

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT]

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not _needs_second_factor(request)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        inner = super().admin_view(hides(view), cacheable)

        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not request.user.is_staff:
                raise Http404
            if request.user.is_authenticated and _needs_second_factor(request):
                messages.warning(
                    request, _("The workroom asks for a second step when you sign in. Set one up here.")
                )
                return redirect("mfa_index")
            return inner(request, *args, **kwargs)

        return wrapped

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            for entry in app["models"]:
                desk = self._registry[entry["model"]]
                entry["name"] = desk.desk_name or entry["name"]  # type: ignore[attr-defined]
                entry["intro"] = desk.intro  # type: ignore[attr-defined]
        return apps


def _needs_second_factor(request: HttpRequest) -> bool:
    return settings.STAFF_NEEDS_MFA and not is_mfa_enabled(request.user)


def hides(view: Callable[..., Any]) -> Callable[..., Any]:
    """What a person may not open is not there: 403 would say that it is."""

    def hidden(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except PermissionDenied as denied:
            raise Http404 from denied

    hidden.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined]
    return hidden
