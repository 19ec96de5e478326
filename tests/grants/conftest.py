"""Fixtures of the rooms call, application and review."""

from typing import Any

import pytest


@pytest.fixture
def without_second_factor(settings: Any) -> None:
    """Staff enter with one step, as in the demo; that they need two has its own test."""
    settings.STAFF_NEEDS_MFA = False
