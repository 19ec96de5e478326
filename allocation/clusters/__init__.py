"""Drivers for clusters. Commands and tasks open one by its kind and its settings."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from allocation.clusters.base import Driver
from allocation.clusters.simulated import SimulatedDriver, SimulatedNode
from allocation.clusters.slurm import SlurmDriver

KINDS = ("slurm", "simulated")

Clock = Callable[[], datetime]


class BadSettings(ValueError):
    """A cluster's settings cannot be used; the text says which and why."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_driver(
    kind: str, settings: Mapping[str, Any], var_folder: Path, *, clock: Clock = utc_now
) -> Driver:
    """Makes the driver of a cluster. Raises BadSettings; nothing is run or written yet."""
    if kind == "slurm":
        _refuse_others(settings, {"name", "prefix", "partition", "login", "limit_seconds"})
        return SlurmDriver(
            name=_text(settings, "name", "slurm"),
            prefix=_texts(settings, "prefix"),
            partition=_text(settings, "partition", ""),
            login=_text(settings, "login", ""),
            limit_seconds=_number(settings, "limit_seconds", 15),
            clock=clock,
        )
    if kind == "simulated":
        _refuse_others(settings, {"name", "unit", "nodes"})
        name = _text(settings, "name", "simulated")
        unit = _text(settings, "unit", "gpu")
        if unit not in ("gpu", "node"):
            raise BadSettings(_("“unit” must be “gpu” or “node”."))
        nodes = _nodes(settings)
        file = var_folder / "simulated" / f"{name}.json"
        return SimulatedDriver(name=name, file=file, nodes=nodes, by_node=unit == "node", clock=clock)
    raise BadSettings(_("There is no driver “%(kind)s”. Choose one of: %(kinds)s.") % _kinds(kind))


def _kinds(kind: str) -> dict[str, str]:
    return {"kind": kind, "kinds": ", ".join(KINDS)}


def _refuse_others(settings: Mapping[str, Any], known: set[str]) -> None:
    if others := sorted(set(settings) - known):
        told = {"others": ", ".join(others), "known": ", ".join(sorted(known))}
        raise BadSettings(_("Unknown settings: %(others)s. Known are: %(known)s.") % told)


def _text(settings: Mapping[str, Any], key: str, default: str) -> str:
    value = settings.get(key, default)
    if not isinstance(value, str) or "/" in value or "\0" in value:
        raise BadSettings(_("“%(key)s” must be a text without slashes.") % {"key": key})
    return value


def _texts(settings: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = settings.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) and word for word in value):
        told = _('“%(key)s” must be a list of words, such as ["ssh", "login.example.org"].')
        raise BadSettings(told % {"key": key})
    return tuple(value)


def _number(settings: Mapping[str, Any], key: str, default: float) -> float:
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 120:
        raise BadSettings(_("“%(key)s” must be a number of seconds between 0 and 120.") % {"key": key})
    return float(value)


def _nodes(settings: Mapping[str, Any]) -> tuple[SimulatedNode, ...]:
    """Four GPUs on two nodes unless told otherwise."""
    default = [{"name": f"sim{n}", "gpu_type": "a100", "gpus": 4} for n in (1, 2)]
    value = settings.get("nodes", default)
    told = _('“nodes” must be a list such as [{"name": "sim1", "gpu_type": "a100", "gpus": 4}].')
    if not isinstance(value, list) or not value:
        raise BadSettings(told)
    nodes = []
    for entry in value:
        match entry:
            case {"name": str() as name, "gpu_type": str() as gpu_type, "gpus": int() as gpus} if gpus > 0:
                nodes.append(SimulatedNode(name=name, gpu_type=gpu_type, gpus=gpus))
            case _:
                raise BadSettings(told)
    return tuple(nodes)
