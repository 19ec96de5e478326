"""The rows of the stages ranking, award, reservation, usage and report."""

from allocation.models.awards import (
    AWARD_TRANSITIONS,
    RUN_TRANSITIONS,
    AllocationRun,
    Award,
    AwardState,
    Decision,
    Outcome,
    RunState,
)
from allocation.models.clusters import (
    LIVE_RESERVATIONS,
    RESERVATION_TRANSITIONS,
    Cluster,
    ClusterLogin,
    Gpu,
    Maintenance,
    Reservation,
    ReservationState,
    UsageRecord,
)
from allocation.models.ledger import Account, Balance, LedgerEntry
from allocation.models.rankings import Ranking, RankingRow
from allocation.models.reports import Report, ReportState

__all__ = [
    "AWARD_TRANSITIONS",
    "LIVE_RESERVATIONS",
    "RESERVATION_TRANSITIONS",
    "RUN_TRANSITIONS",
    "Account",
    "AllocationRun",
    "Award",
    "AwardState",
    "Balance",
    "Cluster",
    "ClusterLogin",
    "Decision",
    "Gpu",
    "LedgerEntry",
    "Maintenance",
    "Outcome",
    "Ranking",
    "RankingRow",
    "Report",
    "ReportState",
    "Reservation",
    "ReservationState",
    "RunState",
    "UsageRecord",
]
