"""Takes a cluster in: its driver is asked for version, unit and GPUs. The command attach and the demo call it.

Other rooms call `attach` through allocation.reservations.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from allocation.clusters.base import Capabilities, ClusterAway, NodeGpu
from allocation.drivers import driver_of
from allocation.models import Cluster, Gpu
from grants.models import GpuType, Pool
from portal import audit
from portal.lib.dates import DateRefused, parse_zone
from portal.models import User
from portal.refused import Refused


def attach(
    *,
    name: str,
    kind: str,
    settings: dict[str, Any],
    zone: str,
    pools: Sequence[Pool],
    by: User | None,
    now: datetime,
) -> Cluster:
    """Makes the rows of a cluster and of every GPU that it names.

    Raises Refused where it does not answer, or names GPUs that the site does not know.
    """
    try:
        zone = parse_zone(zone).key
    except DateRefused as fault:
        raise Refused(str(fault), fields={"zone": fault}) from fault
    if Cluster.objects.filter(name=name).exists():
        raise Refused(_("There is a cluster called %(name)s already. Choose another name.") % {"name": name})
    cluster = Cluster(name=name, kind=kind, settings=settings, zone=zone, last_seen_at=now)
    capabilities, found = _ask(cluster, now)
    types = _types(found, pools)
    cluster.version, cluster.unit = capabilities.version, capabilities.unit
    with transaction.atomic():
        cluster.save()
        cluster.pools.set(pools)
        Gpu.objects.bulk_create(
            Gpu(cluster=cluster, node=gpu.node, index=gpu.index, gpu_type=types[gpu.gpu_type])
            for gpu in found
        )
        audit.record(by=by, did="cluster.attached", subject=cluster, at=now, gpus=len(found))
    return cluster


def _ask(cluster: Cluster, now: datetime) -> tuple[Capabilities, list[NodeGpu]]:
    driver = driver_of(cluster, now)
    try:
        return driver.capabilities(), driver.inventory()
    except ClusterAway as away:
        raise Refused(_("The cluster does not answer. %(why)s") % {"why": away}) from away


def _types(found: list[NodeGpu], pools: Sequence[Pool]) -> dict[str, GpuType]:
    """The site's rows for the cluster's types; every one must be known, and every pool must find its own."""
    if not found:
        raise Refused(_("The cluster names no GPU. Write Gres=gpu:TYPE:COUNT for its nodes into slurm.conf."))
    named = {gpu.gpu_type for gpu in found}
    if "" in named:
        raise Refused(_("The cluster has GPUs without a type. Write Gres=gpu:TYPE:COUNT into slurm.conf."))
    types = {row.key: row for row in GpuType.objects.filter(key__in=named)}
    if unknown := sorted(named - types.keys()):
        told = _("The site does not know these GPU types: %(types)s. Add them under GPU types, by this key.")
        raise Refused(told % {"types": ", ".join(unknown)})
    for pool in pools:
        if pool.gpu_type.key not in types:
            told = _("The pool “%(pool)s” offers %(type)s, which this cluster does not have.")
            raise Refused(told % {"pool": pool, "type": pool.gpu_type.key})
    return types
