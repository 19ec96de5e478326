"""Names that reach a cluster: made by us, checked before every command. Used by everything in clusters.

Slurm's own tools split commas, expand brackets and change case inside one argument, so a list of arguments
alone protects nothing. Nothing that a person typed becomes an account or a slot.
"""

import re
import secrets
from random import Random

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
ACCOUNT = re.compile(r"g[a-z2-7]{8}")
SLOT = re.compile(r"(g[a-z2-7]{8})-s[1-9][0-9]{0,17}")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
HARDWARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
GPU_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,30}")


def new_account_name(rng: Random | None = None) -> str:
    """Makes the name of an award's account; give a seeded rng only in tests and demos."""
    source = rng or secrets.SystemRandom()
    return "g" + "".join(source.choice(ALPHABET) for _ in range(8))


def slot_name(account: str, number: int) -> str:
    """The reservation's name on the cluster: always the same for one row of the portal."""
    name = f"{account}-s{number}"
    if not is_slot(name):
        raise ValueError(f"no slot name can be made from {account!r} and {number!r}")
    return name


def is_account(name: str) -> bool:
    return ACCOUNT.fullmatch(name) is not None


def is_slot(name: str) -> bool:
    return SLOT.fullmatch(name) is not None


def account_of_slot(name: str) -> str:
    """The account that a slot's name tells, or nothing when the name is not ours."""
    found = SLOT.fullmatch(name)
    return found.group(1) if found else ""


def is_user(name: str) -> bool:
    return USER.fullmatch(name) is not None


def is_node(name: str) -> bool:
    return HARDWARE.fullmatch(name) is not None


def is_gpu_type(name: str) -> bool:
    return GPU_TYPE.fullmatch(name) is not None
