"""What checkcluster says about a cluster's configuration."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from allocation.clusters import slurm_check, slurm_parse
from allocation.clusters.base import Finding
from allocation.clusters.slurm_parse import Config, Node
from tests.allocation.clusters.builders import SINGLE_GPUS

RECORDED = Path(__file__).parent / "recorded"
NODES = [Node(name="box1", cores=16, gpus=(("a100", 4),), state="IDLE")]


@pytest.fixture
def config() -> Config:
    return slurm_parse.config((RECORDED / "config-24.11.txt").read_text())


def wrong(config: Config, nodes: list[Node] = NODES, seconds_off: int = 0) -> list[Finding]:
    now = config.read_at + timedelta(seconds=seconds_off)
    return [finding for finding in slurm_check.findings(config, nodes, SINGLE_GPUS, now) if not finding.ok]


def test_a_right_cluster_has_nothing_to_mend(config: Config) -> None:
    assert wrong(config) == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("AccountingStorageTRES", "cpu,mem,gres/gpu", "AccountingStorageTRES=gres/gpu,gres/gpu:a100"),
        ("AccountingStorageEnforce", "associations", "AccountingStorageEnforce=associations,limits,qos,safe"),
        ("PriorityType", "priority/basic", "PriorityType=priority/multifactor"),
        ("PriorityDecayHalfLife", "7-00:00:00", "PriorityDecayHalfLife=0"),
        ("PriorityUsageResetPeriod", "MONTHLY", "PriorityUsageResetPeriod=NONE"),
    ],
)
def test_each_thing_that_is_off_gets_its_line_and_file(
    config: Config, key: str, value: str, line: str
) -> None:
    changed = replace(config, values={**config.values, key: value})
    found = wrong(changed)
    assert len(found) == 1
    assert line in found[0].remedy
    assert "slurm.conf" in found[0].remedy


def test_a_clock_that_runs_off_is_told(config: Config) -> None:
    assert "45 s apart" in wrong(config, seconds_off=45)[0].what


def test_nodes_without_gpus_without_types_or_without_life_are_told(config: Config) -> None:
    assert "gres.conf" in wrong(config, [])[0].remedy
    untyped = replace(NODES[0], gpus=(("", 4),))
    assert "box1" in wrong(config, [untyped])[0].what
    drained = replace(NODES[0], state="IDLE+DRAIN")
    assert wrong(config, [drained])[0].remedy == "scontrol update nodename=box1 state=resume"


@pytest.mark.parametrize(
    ("user", "level", "is_right"),
    [("root", "None", True), ("portal", "Operator", True), ("portal", "None", False), ("portal", "", False)],
)
def test_rights_are_those_of_an_operator(config: Config, user: str, level: str, is_right: bool) -> None:
    finding = slurm_check.rights(config, user, level)
    assert finding.ok is is_right
    assert is_right or "adminlevel=Operator" in finding.remedy
