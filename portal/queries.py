"""Questions about people, audit and mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from portal.access import VisibleQuerySet


class UserQuerySet(VisibleQuerySet[Any]):
    kinds = {"person": Q(), "reviewer": Q(is_reviewer=True, is_active=True)}
    relations = {
        "self": lambda user: Q(pk=user.pk),
        "chair": lambda user: Q() if user.is_chair else None,
        "operator": lambda user: Q() if user.is_operator else None,
    }


class AuditEntryQuerySet(VisibleQuerySet[Any]):
    kinds = {"audit entry": Q()}
    relations = {"operator": lambda user: Q() if user.is_operator else None}

    def unsealed(self) -> AuditEntryQuerySet:
        return self.filter(seal__isnull=True).order_by("pk")


class MailQuerySet(VisibleQuerySet[Any]):
    kinds = {"mail": Q()}
    relations = {"operator": lambda user: Q() if user.is_operator else None}

    def waiting_since(self, instant: datetime) -> MailQuerySet:
        return self.filter(state="queued", queued_at__lt=instant)
