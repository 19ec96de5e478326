"""Roles: given and taken by operators, written down, never more than asked for."""

import pytest
from django.utils import timezone

from portal import people
from portal.models import AuditEntry, User
from portal.refused import Refused
from tests import factories as make

pytestmark = pytest.mark.django_db


def give(user: User, role: str, by: User | None = None) -> User:
    people.give_role(user=user, role=role, by=by, now=timezone.now())
    user.refresh_from_db()
    return user


def take(user: User, role: str, by: User | None = None) -> User:
    people.take_role(user=user, role=role, by=by, now=timezone.now())
    user.refresh_from_db()
    return user


@pytest.mark.parametrize("role", people.ROLES)
def test_a_role_opens_the_workroom_and_its_end_closes_it(role: str) -> None:
    make.an_operator()
    user = give(make.a_user(), role)
    assert (user.is_staff, user.is_superuser, getattr(user, people.ROLES[role])) == (True, False, True)
    take(user, role)
    assert (user.is_staff, getattr(user, people.ROLES[role])) == (False, False)


def test_the_workroom_stays_open_while_another_role_is_left() -> None:
    user = give(give(make.a_user(), "chair"), "reviewer")
    assert take(user, "chair").is_staff
    assert not take(user, "reviewer").is_staff


def test_a_role_is_neither_given_nor_taken_twice() -> None:
    user = give(make.a_user(), "chair")
    with pytest.raises(Refused, match="already"):
        give(user, "chair")
    take(user, "chair")
    with pytest.raises(Refused, match="does not have"):
        take(user, "chair")
    assert AuditEntry.objects.filter(subject_id=str(user.pk)).count() == 2


@pytest.mark.parametrize("role", ["chair", "reviewer"])
def test_whoever_installed_the_site_neither_chairs_nor_reviews(role: str) -> None:
    root = User.objects.create_superuser("root@example.org")
    with pytest.raises(Refused, match="Make a second account"):
        give(root, role)
    root.refresh_from_db()
    assert (root.is_chair, root.is_reviewer) == (False, False)


def test_only_an_operator_gives_roles_and_no_unknown_one() -> None:
    user = make.a_user()
    with pytest.raises(Refused, match="Only an operator"):
        give(user, "reviewer", by=make.a_chair())
    with pytest.raises(Refused, match="no role"):
        give(user, "superuser")
    user.refresh_from_db()
    assert not user.is_staff


def test_the_last_operator_stays() -> None:
    operator = make.an_operator()
    with pytest.raises(Refused, match="last operator"):
        take(operator, "operator", by=operator)
    make.an_operator()
    assert not take(operator, "operator", by=operator).is_operator
