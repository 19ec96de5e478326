"""The exact arguments that reach Slurm."""

from datetime import timedelta

from allocation.clusters import slurm_commands
from allocation.clusters.base import Change, Kind
from allocation.clusters.slurm_commands import Site, batches, wrapped
from tests.allocation.clusters.builders import FIRST, NOON, SECOND, slot

NODES = Site(cluster="box", partition="", cores_per_gpu={}, now=NOON)
SINGLE = Site(cluster="box", partition="gpu", cores_per_gpu={"box1": 4}, now=NOON)


def commands(changes: list[Change], site: Site = NODES) -> list[str]:
    return [" ".join(argv) for batch in batches(changes, site) for argv in batch.commands]


def test_equal_changes_share_a_command_in_the_order_of_the_kinds() -> None:
    changes = [
        Change(kind=Kind.LIMIT_SET, target=SECOND, limit_minutes=60),
        Change(kind=Kind.LIMIT_SET, target=FIRST, limit_minutes=60),
        Change(kind=Kind.ACCOUNT_ADD, target=FIRST),
        Change(kind=Kind.ACCOUNT_ADD, target=SECOND),
        Change(kind=Kind.HOLD, target=FIRST),
        Change(kind=Kind.UNKNOWN, target="physics"),
    ]
    assert commands(changes) == [
        "sacctmgr -i add account name=gaaaaaaaa,gbbbbbbbb Organization=openhours cluster=box",
        "sacctmgr -i modify account where name=gbbbbbbbb,gaaaaaaaa cluster=box set GrpTRESMins=gres/gpu=60",
        "sacctmgr -i modify account where name=gaaaaaaaa cluster=box set GrpJobs=0",
    ]


def test_people_are_never_given_an_account_that_is_not_theirs() -> None:
    pairs = [(FIRST, "ana"), (FIRST, "ben"), (SECOND, "ana")]
    changes = [Change(kind=Kind.USER_ADD, target=account, user=user) for account, user in pairs]
    assert commands(changes) == [
        "sacctmgr -i add user name=ana account=gbbbbbbbb cluster=box",
        "sacctmgr -i add user name=ana,ben account=gaaaaaaaa cluster=box",
    ]


def test_a_person_who_leaves_is_closed_and_can_be_opened_again() -> None:
    where = "sacctmgr -i modify user where name=ana account=gaaaaaaaa cluster=box set"
    assert commands([Change(kind=Kind.USER_CLOSE, target=FIRST, user="ana")]) == [
        f"{where} MaxJobs=0 MaxSubmitJobs=0"
    ]
    assert commands([Change(kind=Kind.USER_OPEN, target=FIRST, user="ana")]) == [
        f"{where} MaxJobs=-1 MaxSubmitJobs=-1"
    ]


def test_a_long_list_is_cut_into_commands_of_a_bearable_length() -> None:
    accounts = [f"g{number:08d}" for number in range(1000)]
    limits = [Change(kind=Kind.LIMIT_SET, target=name, limit_minutes=60) for name in accounts]
    people = [Change(kind=Kind.USER_ADD, target=name, user=user) for name in accounts for user in ("a", "b")]
    assert len(commands(limits)) == 3
    assert len(commands(people)) == 20
    assert sum(len(batch.changes) for batch in batches(people, NODES)) == 2000


def test_a_slot_of_single_gpus_names_type_cores_and_partition() -> None:
    change = Change(kind=Kind.RESERVATION_CREATE, target=slot().name, reservation=slot())
    assert commands([change], SINGLE) == [
        "scontrol create reservation reservationname=gaaaaaaaa-s1 accounts=gaaaaaaaa flags=MAGNETIC "
        "starttime=now endtime=2026-06-01T13:00:00 partition=gpu nodes=box1 corecnt=8 tres=gres/gpu:a100=2"
    ]


def test_a_slot_of_a_whole_node_names_only_the_node() -> None:
    coming = slot(starts_at=NOON + timedelta(days=1))
    change = Change(kind=Kind.RESERVATION_REPLACE, target=coming.name, reservation=coming)
    assert commands([change]) == [
        "scontrol delete reservationname=gaaaaaaaa-s1",
        "scontrol create reservation reservationname=gaaaaaaaa-s1 accounts=gaaaaaaaa flags=MAGNETIC "
        "starttime=2026-06-02T12:00:00 endtime=2026-06-02T13:00:00 nodes=box1",
    ]


def test_a_busy_slot_is_laid_over_what_runs() -> None:
    create = ["scontrol", "create", "reservation", "flags=MAGNETIC"]
    assert slurm_commands.over_running_jobs(create)[-1] == "flags=MAGNETIC,IGNORE_JOBS"
    update = ["scontrol", "update", "reservationname=gaaaaaaaa-s1"]
    assert slurm_commands.over_running_jobs(update)[-1] == "flags+=IGNORE_JOBS"


def test_every_command_speaks_utc_and_plain_english() -> None:
    argv = wrapped(["chroot", "/somewhere"], ["sacct", "-n"])
    assert argv[:2] == ["chroot", "/somewhere"]
    assert argv[-2:] == ["sacct", "-n"]
    assert {"TZ=UTC", "LC_ALL=C", "SLURM_TIME_FORMAT"} <= set(argv)


def test_ssh_gets_one_quoted_word() -> None:
    argv = wrapped(["/usr/bin/ssh", "-p", "22", "login"], ["sacct", "a b; reboot"])
    assert len(argv) == 5
    assert argv[4].endswith("sacct 'a b; reboot'")


def test_usage_asks_for_every_run_in_utc() -> None:
    argv = slurm_commands.show_jobs(NOON, NOON + timedelta(hours=1), [FIRST, SECOND])
    assert {"-D", "-X", "-a", "--accounts=gaaaaaaaa,gbbbbbbbb", "2026-06-01T13:00:00"} <= set(argv)
