"""The rows of the stages call, application and review."""

from grants.models.applications import TRANSITIONS, Application, Receipt, SentContent, State
from grants.models.calls import Call, Criterion, Earmark, GpuType, Phase, Pool
from grants.models.groups import Funder, FunderSeat, Group, Membership, MembershipRole
from grants.models.reviews import Assignment, Harm, Recusal, RecusalKind, Review, Score

__all__ = [
    "TRANSITIONS",
    "Application",
    "Assignment",
    "Call",
    "Criterion",
    "Earmark",
    "Funder",
    "FunderSeat",
    "GpuType",
    "Group",
    "Harm",
    "Membership",
    "MembershipRole",
    "Phase",
    "Pool",
    "Receipt",
    "Recusal",
    "RecusalKind",
    "Review",
    "Score",
    "SentContent",
    "State",
]
