"""Names that we make ourselves: for public ids and for everything that reaches a cluster."""

import re
import secrets

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
GENERATED = re.compile(r"[a-z][a-z2-7]{8}")


def new_name(first: str) -> str:
    """One letter that tells the kind, then eight of a–z2–7: 40 bits, nothing that a person typed."""
    return first + "".join(secrets.choice(LETTERS) for _ in range(8))


def new_application_id() -> str:
    return new_name("a")


def new_group_id() -> str:
    return new_name("c")


def new_account_name() -> str:
    return new_name("g")


def new_run_id() -> str:
    return new_name("r")


def new_report_id() -> str:
    return new_name("p")


def new_slot_name() -> str:
    return new_name("s")


def new_login_name() -> str:
    return new_name("u")
