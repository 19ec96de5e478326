"""Who works here as what: gives and takes the roles chair, reviewer and operator.

Called by the operator's page in the workroom, by commands and by the demo. A role says what a person may be
given to do; which rows they see rests on portal.access.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from portal import audit
from portal.models import User
from portal.refused import Refused

ROLES: dict[str, str] = {"chair": "is_chair", "reviewer": "is_reviewer", "operator": "is_operator"}


def give_role(*, user: User, role: str, by: User | None, now: datetime) -> None:
    """Gives a role, and with it the way into the workroom. Nobody becomes a superuser here.

    Raises Refused when the person has it already, or installed the site and would chair or review.
    """
    with transaction.atomic():
        row = _locked(user, role, by)
        if getattr(row, ROLES[role]):
            raise Refused(_("This person has that role already."))
        if row.is_superuser and role != "operator":
            raise Refused(_("Whoever installed the site neither chairs nor reviews. Make a second account."))
        _write(row, role, has_it=True)
        audit.record(by=by, did="person.role_given", subject=row, at=now, role=role)


def take_role(*, user: User, role: str, by: User | None, now: datetime) -> None:
    """Takes a role back; with the last one the workroom closes to the person.

    Raises Refused when the person does not have it, or is the last operator.
    """
    with transaction.atomic():
        row = _locked(user, role, by)
        if not getattr(row, ROLES[role]):
            raise Refused(_("This person does not have that role."))
        if role == "operator" and not _other_operators(row):
            raise Refused(_("This is the last operator. Give the role to somebody else first."))
        _write(row, role, has_it=False)
        audit.record(by=by, did="person.role_taken", subject=row, at=now, role=role)


def _other_operators(row: User) -> bool:
    # Locked, so that two operators cannot take the role from each other at the same moment.
    others = User.objects.select_for_update().filter(is_operator=True, is_active=True).exclude(pk=row.pk)
    return bool(list(others.order_by("pk")))


def _locked(user: User, role: str, by: User | None) -> User:
    if role not in ROLES:
        raise Refused(_("There is no role called “%(role)s”.") % {"role": role})
    if by is not None and not by.is_operator:
        raise Refused(_("Only an operator gives and takes roles."))
    locked: User = User.objects.select_for_update().get(pk=user.pk)
    return locked


def _write(row: User, role: str, *, has_it: bool) -> None:
    setattr(row, ROLES[role], has_it)
    row.is_staff = row.is_superuser or any(getattr(row, field) for field in ROLES.values())
    row.save(update_fields=[ROLES[role], "is_staff"])
