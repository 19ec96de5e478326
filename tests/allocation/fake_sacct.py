"""A program that stands where Slurm's accounting stands; run by its path, never imported.

    python fake_sacct.py JOBS.json env … sacct ARGUMENTS      (or sacctmgr, scontrol: only what opening asks)
JOBS.json is a list of rows as sacct prints them, in its order of columns; "down" instead means that it is away.
"""

import json
import sys
from datetime import datetime


def main() -> int:
    path, words = sys.argv[1], sys.argv[2:]
    with open(path) as file:
        jobs = json.load(file)
    if jobs == "down":
        print("sacct: error: Problem talking to the database", file=sys.stderr)
        return 1
    if "sacct" not in words:
        print(f"fake_sacct knows no {words}", file=sys.stderr)
        return 2
    since, until = (datetime.fromisoformat(words[words.index(flag) + 1]) for flag in ("-S", "-E"))
    for job in jobs:
        start, end = job[7], job[8]
        is_begun = not start[0].isalpha() and datetime.fromisoformat(start) < until
        is_near = end == "Unknown" or datetime.fromisoformat(end) >= since
        if is_begun and is_near:
            print("|".join(job))
    return 0


if __name__ == "__main__":
    sys.exit(main())
