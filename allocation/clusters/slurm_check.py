"""What must be on in a Slurm cluster for limits and metering to be true. Pure; checkcluster prints it.

Every finding that is not right carries the line to write and the file to write it into.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from allocation.clusters.base import Capabilities, Finding
from allocation.clusters.slurm_parse import Config, Node

CLOCK_TOLERANCE_SECONDS = 30


def findings(
    config: Config, nodes: Sequence[Node], capabilities: Capabilities, now: datetime
) -> Iterator[Finding]:
    """Looks at everything that one reading of the controller tells."""
    yield Finding(what=_("Slurm %(version)s answers.") % {"version": config.version}, ok=True)
    yield _unit(capabilities)
    yield _tracked(config, nodes)
    yield from _enforced(config)
    yield from _undecayed(config)
    yield _clock(config, now)
    yield from _hardware(nodes)


def _conf(line: str) -> str:
    return _("Write into slurm.conf, then restart slurmctld: %(line)s") % {"line": line}


def _has(config: Config, key: str) -> set[str]:
    return set(config.values.get(key, "").lower().split(","))


def _unit(capabilities: Capabilities) -> Finding:
    if capabilities.unit == "gpu":
        return Finding(what=_("Single GPUs can be reserved."), ok=True)
    return Finding(what=_("Whole nodes can be reserved; single GPUs need Slurm 24.11 or later."), ok=True)


def _tracked(config: Config, nodes: Sequence[Node]) -> Finding:
    types = sorted({kind for node in nodes for kind, _count in node.gpus if kind})
    wanted = ["gres/gpu", *(f"gres/gpu:{kind}" for kind in types)]
    tracked = _has(config, "AccountingStorageTRES")
    is_right = all(name.lower() in tracked for name in wanted)
    line = _conf(f"AccountingStorageTRES={','.join(wanted)}")
    return Finding(
        what=_("GPUs are counted, each type by its name."), ok=is_right, remedy="" if is_right else line
    )


def _enforced(config: Config) -> Iterator[Finding]:
    enforced = _has(config, "AccountingStorageEnforce")
    is_right = "limits" in enforced
    line = _conf("AccountingStorageEnforce=associations,limits,qos,safe")
    yield Finding(what=_("Limits are enforced."), ok=is_right, remedy="" if is_right else line)
    if "safe" in enforced:
        told = _("A job that could pass its limit waits; the portal ends running jobs at the limit.")
    else:
        told = _("Slurm ends jobs at their limit, up to a minute late. Add “safe” so that they wait instead.")
    yield Finding(what=told, ok=True)


def _undecayed(config: Config) -> Iterator[Finding]:
    wanted = {
        "PriorityType": ("priority/multifactor", _("Use is summed up.")),
        "PriorityDecayHalfLife": ("00:00:00", _("Use is not forgotten with time.")),
        "PriorityUsageResetPeriod": ("NONE", _("Use is not set back to zero.")),
    }
    for key, (value, what) in wanted.items():
        is_right = config.values.get(key) == value
        line = _conf(f"{key}={'0' if key.endswith('HalfLife') else value}")
        yield Finding(what=what, ok=is_right, remedy="" if is_right else line)


def _clock(config: Config, now: datetime) -> Finding:
    apart = round(abs((config.read_at - now).total_seconds()))
    is_right = apart <= CLOCK_TOLERANCE_SECONDS
    remedy = _("Let both machines follow a time server (timedatectl set-ntp true).")
    return Finding(
        what=_("The cluster's clock and ours are %(seconds)s s apart.") % {"seconds": apart},
        ok=is_right,
        remedy="" if is_right else remedy,
    )


def _hardware(nodes: Sequence[Node]) -> Iterator[Finding]:
    holding = [node for node in nodes if node.gpus]
    line = _conf("GresTypes=gpu; NodeName=… Gres=gpu:TYPE:COUNT")
    line += " " + _("Write into gres.conf: %(line)s") % {"line": "Name=gpu Type=TYPE File=/dev/nvidia[0-3]"}
    yield Finding(
        what=_("%(count)s nodes have GPUs.") % {"count": len(holding)},
        ok=bool(holding),
        remedy="" if holding else line,
    )
    untyped = [node.name for node in holding if any(not kind for kind, _count in node.gpus)]
    if untyped:
        told = _("GPUs without a type: %(nodes)s") % {"nodes": ", ".join(untyped)}
        yield Finding(what=told, ok=False, remedy=line)
    for node in holding:
        if any(word in node.state for word in ("DOWN", "DRAIN", "FAIL", "NOT_RESPONDING")):
            remedy = f"scontrol update nodename={node.name} state=resume"
            told = _("Node %(node)s takes no jobs (%(state)s).") % {"node": node.name, "state": node.state}
            yield Finding(what=told, ok=False, remedy=remedy)


def rights(config: Config, user: str, admin_level: str) -> Finding:
    """Limits and reservations need an operator of Slurm, or the user that Slurm itself runs as."""
    slurm_user = config.values.get("SlurmUser", "").partition("(")[0]
    is_right = user in ("root", slurm_user) or admin_level in ("Operator", "Administrator")
    return Finding(
        what=_("%(user)s may change accounts and reservations.") % {"user": user},
        ok=is_right,
        remedy="" if is_right else f"sacctmgr -i add user {user} account=root adminlevel=Operator",
    )
