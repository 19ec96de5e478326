"""Opens the driver of a cluster row, so that a fault of its settings reads the same everywhere.

Called by the stage functions reservations and usage, by the commands and by the award page.
"""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from allocation.clusters import BadSettings, open_driver
from allocation.clusters.base import ClusterAway, Driver
from allocation.models import Cluster
from portal.refused import Refused


def driver_of(cluster: Cluster, now: datetime) -> Driver:
    """The driver, with `now` as its clock: the demo lives through past weeks this way."""
    try:
        return open_driver(cluster.kind, cluster.settings, settings.DATA_DIR, clock=lambda: now)
    except BadSettings as fault:
        told = _("The settings of cluster %(name)s cannot be used. %(fault)s")
        raise Refused(told % {"name": cluster.name, "fault": fault}) from fault


def note_away(cluster: Cluster, away: ClusterAway) -> None:
    """Keeps why a cluster could not be reached, for its operator; awards and reservations stand."""
    Cluster.objects.filter(pk=cluster.pk).update(last_error=str(away)[:500])
