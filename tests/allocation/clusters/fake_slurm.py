"""A program that stands where Slurm's tools stand and misbehaves on order; run by its path, never imported.

    python fake_slurm.py STATE.json env … sacctmgr|scontrol ARGUMENTS
STATE.json holds the cluster, and under "faults" what happens to the n-th command: before (fails, no effect), after
(fails, with effect), lost (succeeds, no effect), twice (done again by the network), stale (an old answer), down.
"""

import json
import sys
from datetime import UTC, datetime

TOOLS = ("sacctmgr", "scontrol")
READS = ("show", "ping")


def main() -> int:
    path, words = sys.argv[1], sys.argv[2:]
    argv = words[next(i for i, word in enumerate(words) if word in TOOLS) :]
    with open(path) as file:
        world = json.load(file)
    fault = world["faults"].pop(0) if world["faults"] else ""
    world["calls"] += 1
    is_read = any(word in argv for word in READS)
    if fault == "down":
        code = complain("Unable to contact slurm controller (connect failure)")
    elif is_read:
        code = show(argv, world["previous"] if fault == "stale" else world["cluster"])
    else:
        before = json.loads(json.dumps(world["cluster"]))
        code = change(argv, world["cluster"], fault)
        world["previous"] = before
    with open(path, "w") as file:
        json.dump(world, file)
    return code


def complain(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def change(argv: list[str], cluster: dict, fault: str) -> int:
    if fault in ("before", "lost"):
        return complain("error: Problem talking to the database") if fault == "before" else 0
    code = perform(argv, cluster)
    if fault == "twice":
        code = perform(argv, cluster)
    return complain("slurm_persist_conn_recv failed") if fault == "after" else code


def perform(argv: list[str], cluster: dict) -> int:
    values = dict(word.split("=", 1) for word in argv if "=" in word)
    if argv[0] == "scontrol":
        return change_slot(argv[1], values, cluster["slots"])
    accounts = cluster["accounts"]
    if argv[2:4] == ["add", "account"]:
        fresh = [name for name in values["name"].split(",") if name not in accounts]
        for name in fresh:
            accounts[name] = {"organization": values["Organization"], "users": {}, "minutes": "", "jobs": ""}
        return 0 if fresh else complain(" Nothing new added.")
    if argv[3] == "account":
        return change_accounts(values, accounts)
    return change_users(argv[2], values, accounts)


def change_accounts(values: dict, accounts: dict) -> int:
    for name in values["name"].split(","):
        if name not in accounts:
            return complain(" Nothing modified")
        if "GrpTRESMins" in values:
            accounts[name]["minutes"] = values["GrpTRESMins"]
        if "GrpJobs" in values:
            accounts[name]["jobs"] = values["GrpJobs"].replace("-1", "")
    return 0


def change_users(verb: str, values: dict, accounts: dict) -> int:
    is_new = False
    for name in values["account"].split(","):
        if name not in accounts:
            return complain(f" This account {name} doesn't exist.")
        users = accounts[name]["users"]
        for user in values["name"].split(","):
            if verb == "modify" and user in users:
                users[user] = values["MaxJobs"].replace("-1", "")
            elif user not in users:
                is_new = True
                users[user] = ""
    return 0 if is_new or verb == "modify" else complain(" Nothing new added.")


def change_slot(verb: str, values: dict, slots: dict) -> int:
    name = values["reservationname"]
    if verb == "create" and name in slots:
        return complain("Error creating the reservation: Duplicate reservation name")
    if verb in ("update", "delete") and name not in slots:
        return complain("Requested reservation is invalid")
    if verb == "delete":
        del slots[name]
        return 0
    if values.get("starttime") == "now":
        values["starttime"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    slots[name] = {**slots.get(name, {}), **values}
    return 0


def show(argv: list[str], cluster: dict) -> int:
    if argv[1] == "ping":
        print("Slurmctld(primary) at fake is UP")
    elif "config" in argv:
        now = datetime.now(UTC)
        print(f"Configuration data as of {now:%Y-%m-%dT%H:%M:%S}")
        print("ClusterName = fake\nSLURM_VERSION = 24.11.5")
    elif "nodes" in argv:
        for name in ("box1", "box2"):
            print(f"NodeName={name} CPUTot=16 ThreadsPerCore=1 State=IDLE CfgTRES=gres/gpu=4,gres/gpu:a100=4")
    elif "reservations" in argv:
        show_slots(cluster["slots"])
    else:
        show_accounts(cluster["accounts"])
    return 0


def show_accounts(accounts: dict) -> None:
    for name, account in sorted(accounts.items()):
        print(f"fake|{name}|{account['organization']}||{account['minutes']}|{account['jobs']}||")
        for user, jobs in sorted(account["users"].items()):
            print(f"fake|{name}|{account['organization']}|{user}|||{jobs}|{jobs}")
    print("fake|root|root|||||")


def show_slots(slots: dict) -> None:
    if not slots:
        print("No reservations in the system")
    for name, slot in sorted(slots.items()):
        gpus = slot.get("tres", "")
        times = f"StartTime={slot['starttime']} EndTime={slot['endtime']}"
        print(f"ReservationName={name} {times} Nodes={slot['nodes']} TRES={gpus} Accounts={slot['accounts']}")


if __name__ == "__main__":
    sys.exit(main())
