"""Opens the driver of a cluster row, so that a fault of its settings reads the same everywhere.

Called by the stage functions reservations and usage, by the commands and by the award page.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from allocation.clusters import BadSettings, open_driver
from allocation.clusters.base import ClusterAway, Driver
from allocation.models import Cluster
from portal.refused import Refused


def clock_from(now: datetime) -> Callable[[], datetime]:
    """A clock that is at `now` and goes on from there: the demo lives through past weeks, and a slot that is
    made while commands take their time is still seen as begun.
    """
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def driver_of(cluster: Cluster, now: datetime) -> Driver:
    """The driver of a cluster, for which it is `now`."""
    try:
        return open_driver(cluster.kind, cluster.settings, settings.DATA_DIR, clock=clock_from(now))
    except BadSettings as fault:
        told = _("The settings of cluster %(name)s cannot be used. %(fault)s")
        raise Refused(told % {"name": cluster.name, "fault": fault}) from fault


def note_away(cluster: Cluster, away: ClusterAway) -> None:
    """Keeps why a cluster could not be reached, for its operator; awards and reservations stand."""
    Cluster.objects.filter(pk=cluster.pk).update(last_error=str(away)[:500])
