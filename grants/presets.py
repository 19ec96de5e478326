"""What a new call starts from. Called when a call is created: it copies the values into its own rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from grants.rubric import LEAST_MEAN_THOUSANDTHS, STANDARD_CRITERIA, CriterionPreset

HOUR = 3600


@dataclass(frozen=True)
class Tier:
    """A size of ask. `up_to_gpu_seconds` None has no upper end; `decide_within_days` are working days."""

    key: str
    name: str | Promise
    up_to_gpu_seconds: int | None
    reviewers: int
    decide_within_days: int


@dataclass(frozen=True)
class Preset:
    """A starting point for a call, as data; a chair may change each value until the call opens."""

    key: str
    name: str | Promise
    plain: str | Promise
    tiers: tuple[Tier, ...]
    criteria: tuple[CriterionPreset, ...]
    least_mean_thousandths: int
    reviewers_per_application: int
    is_blind: bool
    grace_minutes: int
    shows_scores: bool
    shows_strength_and_fix: bool
    allows_reply: bool
    allows_appeal: bool
    appeal_days: int

    @property
    def weights(self) -> dict[str, int]:
        return {criterion.key: criterion.weight for criterion in self.criteria if not criterion.is_gate}

    @property
    def floors(self) -> dict[str, int]:
        return {criterion.key: criterion.floor for criterion in self.criteria if criterion.floor}


STANDARD = Preset(
    key="standard",
    name=_("Standard"),
    plain=_("Two reviewers score each application without seeing names; a third one where they disagree."),
    tiers=(
        Tier("micro", _("Micro"), up_to_gpu_seconds=100 * HOUR, reviewers=0, decide_within_days=2),
        Tier("standard", _("Standard"), up_to_gpu_seconds=1500 * HOUR, reviewers=2, decide_within_days=10),
        Tier("large", _("Large"), up_to_gpu_seconds=None, reviewers=3, decide_within_days=30),
    ),
    criteria=STANDARD_CRITERIA,
    least_mean_thousandths=LEAST_MEAN_THOUSANDTHS,
    reviewers_per_application=2,
    is_blind=True,
    grace_minutes=10,
    shows_scores=True,
    shows_strength_and_fix=True,
    allows_reply=True,
    allows_appeal=True,
    appeal_days=14,
)
PRESETS: Mapping[str, Preset] = MappingProxyType({STANDARD.key: STANDARD})


def tier_for(preset: Preset, *, ask_gpu_seconds: int) -> Tier:
    """The first tier that the ask fits into; the last one takes the rest."""
    for tier in preset.tiers:
        if tier.up_to_gpu_seconds is None or ask_gpu_seconds <= tier.up_to_gpu_seconds:
            return tier
    raise ValueError(f"The largest tier of {preset.key} has an upper end below {ask_gpu_seconds}")
