"""What the pages of an application share: how it is fetched, when its answers may change."""

from datetime import datetime
from typing import cast

from django.http import HttpRequest

from grants.models import Application, State
from portal.access import READ, get_visible_from
from portal.models import User

# Reviewers and chairs may read applications too, but in the workroom: these pages show who applies.
OF_THE_GROUP = ("owner", "co-applicant")


def own_application(request: HttpRequest, public_id: str, right: str = READ) -> Application:
    """An application of the person's own group, else 404."""
    rows = Application.objects.select_related("call", "gpu_type")
    return get_visible_from(rows, request.user, right, as_=OF_THE_GROUP, public_id=public_id)


def arrived_at(request: HttpRequest) -> datetime:
    """The instant that counts for deadlines, read before anything could wait."""
    return cast(datetime, request.arrived_at)  # type: ignore[attr-defined]


def person(request: HttpRequest) -> User:
    return cast(User, request.user)


def can_change(application: Application, now: datetime) -> bool:
    return application.state in (State.DRAFT, State.SUBMITTED) and application.call.is_open(now)
