"""What must be right on a cluster, as its driver finds it, and whether its GPUs are those of our rows.

Called by the command checkcluster and the operator's admin.
"""

from datetime import datetime

from allocation.clusters import comparison
from allocation.clusters.base import Finding, NodeGpu
from allocation.drivers import driver_of
from allocation.models import Cluster


def findings(cluster: Cluster, now: datetime) -> list[Finding]:
    """Asks the cluster; raises ClusterAway where it does not answer."""
    driver = driver_of(cluster, now)
    gpus = cluster.gpus.values_list("node", "index", "gpu_type__key")
    expected = [NodeGpu(node=node, index=index, gpu_type=key) for node, index, key in gpus]
    return [*driver.check(), *comparison.inventory_differences(expected, driver.inventory())]
