"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "is_demo": settings.IS_DEMO,
        "site_url": settings.SITE_URL,
        "site_languages": settings.LANGUAGES,
    }
