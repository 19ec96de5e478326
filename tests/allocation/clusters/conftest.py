"""The real clusters, for any test in this folder that asks for one."""

from tests.slurm.fixtures import slurm_box, slurm_modern

__all__ = ["slurm_box", "slurm_modern"]
