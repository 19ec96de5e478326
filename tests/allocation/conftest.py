"""The real clusters, for the tests of this folder that ask for one."""

from tests.slurm.fixtures import slurm_box, slurm_modern

__all__ = ["slurm_box", "slurm_modern"]
