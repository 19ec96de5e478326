"""Who applies, and who gives hours."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.queries import (
    FunderQuerySet,
    GroupQuerySet,
)
from portal.lib.names import new_group_id

User = settings.AUTH_USER_MODEL


class Group(models.Model):
    """Who applies. Needs no legal form; one person may be a group."""

    public_id = models.CharField(max_length=9, unique=True, default=new_group_id, editable=False)
    name = models.CharField(_("name of the group"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    size = models.PositiveIntegerField(_("people in the group"), null=True, blank=True)
    kind = models.CharField(_("kind of group"), max_length=20, blank=True)
    created_at = models.DateTimeField(_("made"))

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")

    def __str__(self) -> str:
        return self.name or self.public_id


class MembershipRole(models.TextChoices):
    OWNER = "owner", _("owner")
    CO_APPLICANT = "co-applicant", _("co-applicant")


class Membership(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12, choices=MembershipRole.choices)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "user"], name="membership_is_single"),
            models.UniqueConstraint(
                fields=["group"], condition=Q(role="owner"), name="membership_group_has_one_owner"
            ),
            models.CheckConstraint(
                condition=Q(role__in=MembershipRole.values), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Funder(models.Model):
    """A government, company or cooperative that gives hours."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    about = models.TextField(_("about"), max_length=1000, blank=True)

    objects = FunderQuerySet.as_manager()

    class Meta:
        verbose_name = _("funder")
        verbose_name_plural = _("funders")

    def __str__(self) -> str:
        return self.name


class FunderSeat(models.Model):
    """A person who reads for a funder."""

    funder = models.ForeignKey(Funder, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="funder_seats")

    class Meta:
        verbose_name = _("funder's seat")
        verbose_name_plural = _("funders' seats")
        constraints = [models.UniqueConstraint(fields=["funder", "user"], name="funder_seat_is_single")]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.funder_id}"
