"""The instant a request arrived, and the person's language and zone for the page that answers it."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

Answer = Callable[[HttpRequest], HttpResponse]


class ArrivalMiddleware:
    """Reads the clock once, before anything can wait: deadlines count from here."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.arrived_at = timezone.now()  # type: ignore[attr-defined]
        return self.get_response(request)


class PersonMiddleware:
    """Shows times in the person's zone, and lets nobody store a page that was made for one person."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            timezone.deactivate()
            return self.get_response(request)
        timezone.activate(zoneinfo.ZoneInfo(request.user.zone))
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store, private")
        return response
