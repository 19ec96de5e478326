"""Logins: under which name each member of a group works on a cluster. Nothing that a person typed is used.

Called by reservations (reconcile), desired, and the operator's admin, where a login is set to the name that
a site has given already. Until a login is stored, its name follows from the person's number and the
site's key, so that a dry run shows the very names that the real run makes.
"""

import base64
from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from allocation.clusters import names
from allocation.models import Award, Cluster, ClusterLogin
from grants.models import Membership
from portal import audit
from portal.models import User
from portal.refused import Refused


def awards_on(cluster: Cluster) -> Iterable[Award]:
    """Awards that have an account on the cluster, or shall have one."""
    rows = Award.objects.that_may_run().filter(pool__in=cluster.pools.all())
    found: Iterable[Award] = rows.select_related("application", "pool__gpu_type").order_by("pk")
    return found


def new_login(cluster: Cluster, user_id: int) -> str:
    digest = salted_hmac("allocation.logins", f"{cluster.pk}:{user_id}", algorithm="sha256").digest()
    return "u" + base64.b32encode(digest).decode().lower()[:8]


def store_logins(cluster: Cluster) -> None:
    """Gives a login to every member who has none yet."""
    known = set(cluster.logins.values_list("user_id", flat=True))
    groups = {award.application.group_id for award in awards_on(cluster)}
    members = Membership.objects.filter(group__in=groups).exclude(user__in=known)
    users = members.order_by("user").values_list("user_id", flat=True).distinct()
    ClusterLogin.objects.bulk_create(
        [ClusterLogin(cluster=cluster, user_id=user, name=new_login(cluster, user)) for user in users],
        ignore_conflicts=True,
    )


def rename_login(*, login: ClusterLogin, name: str, by: User | None, now: datetime) -> None:
    """Sets the name that the site's staff made for a person; the next reconcile lets it into the account."""
    if not names.is_user(name):
        text = _("A login has small letters, digits, _ and -, and begins with a letter. Correct “%(name)s”.")
        raise Refused(text % {"name": name[:40]}, fields={"name": text % {"name": name[:40]}})
    try:
        with transaction.atomic():
            ClusterLogin.objects.filter(pk=login.pk).update(name=name)
            audit.record(by=by, did="login.renamed", subject=login, at=now)
    except IntegrityError as taken:
        text = _("Somebody else has this login on the cluster.")
        raise Refused(text, fields={"name": text}) from taken
