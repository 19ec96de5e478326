"""The exact checker: says what in a result does not follow from its input.

Called by `check` of the command line, by the stage functions before a run is stored, and by anyone who
replays.

It shares the parsing of the input with the rules and nothing else: steps, standing, matching, equivalents
and earmarks are computed here once more, in another way (fractions; earmarks by augmenting paths).
"""

from __future__ import annotations

from typing import Any

from . import problem as award_problem
from . import schedule_problem
from .canonical import BundleError, digest, refuse_what_is_not_canonical
from .checking_award import award_faults
from .checking_rank import rank_and_cut_faults
from .checking_schedule import schedule_faults

RULE_FAULTS = {"rank-and-cut": rank_and_cut_faults}

DECISION = {"id", "outcome", "pool", "gpu_type", "gpu_seconds", "step", "reasons"}
AWARD_SHAPE: dict[str, set[str]] = {
    "decisions": DECISION,
    "pools": {"id", "left"},
    "earmarks": {"id", "left"},
    "shares": {"id", "got", "wanted", "shortfall"},
}
AWARD_FIELDS = {"format", "input_sha256", "rule", "engine", "solver", "value", "bound", *AWARD_SHAPE}
SCHEDULE_SHAPE: dict[str, set[str]] = {
    "slots": {"award", "gpus", "starts", "ends"},
    "unplaced": {"award", "gpu_seconds", "reason"},
}
SCHEDULE_FIELDS = {"format", "input_sha256", "placed_gpu_seconds", "bound_gpu_seconds", *SCHEDULE_SHAPE}
TEXTS = {"format", "input_sha256", "rule", "engine", "id", "outcome", "award", "reason"}
NUMBERS = {
    "value", "gpu_seconds", "left", "got", "wanted", "shortfall", "starts", "ends",
    "placed_gpu_seconds", "bound_gpu_seconds",
}  # fmt: skip


def check(bundle: dict[str, Any], result: Any) -> list[str]:
    """Every fault found, in words; none means that the result follows.

    BundleError if the input itself is wrong.
    """
    input_sha256 = digest(bundle)
    is_award = bundle.get("format") == award_problem.FORMAT
    try:
        refuse_what_is_not_canonical(result)
    except BundleError as error:
        return [str(error)]
    faults = _shape(result, is_award)
    if faults:
        return faults
    if result["input_sha256"] != input_sha256:
        faults.append(f"$.input_sha256: the input has {input_sha256}")
    if not is_award:
        return faults + schedule_faults(schedule_problem.parse(bundle), result)
    problem = award_problem.parse(bundle)
    if problem.rule not in RULE_FAULTS:
        known = ", ".join(sorted(RULE_FAULTS))
        raise BundleError("$.rule", f"this engine has no rule {problem.rule!r}; it has: {known}")
    if result["rule"] != problem.rule:
        faults.append(f"$.rule: the input asks for {problem.rule!r}")
    faults += award_faults(problem, result)
    # The order of decisions can only be judged where each of them can be.
    return faults or RULE_FAULTS[problem.rule](problem, result)


def _shape(result: Any, is_award: bool) -> list[str]:
    fields, lists = (AWARD_FIELDS, AWARD_SHAPE) if is_award else (SCHEDULE_FIELDS, SCHEDULE_SHAPE)
    faults = _fields(result, fields, "$")
    if faults:
        return faults
    wanted = "openhours/award-result/1" if is_award else "openhours/schedule-result/1"
    if result["format"] != wanted:
        faults.append(f"$.format: this must be {wanted!r}")
    for name, inner in lists.items():
        if not isinstance(result[name], list):
            faults.append(f"$.{name}: this must be a list")
            continue
        for n, each in enumerate(result[name]):
            faults += _fields(each, inner, f"$.{name}[{n}]")
            if not faults and name == "decisions":
                faults += _reason_shape(each["reasons"], f"$.decisions[{n}].reasons")
    return faults


def _fields(value: Any, wanted: set[str], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: this must be an object"]
    faults = [f"{path}.{name}: this field is missing" for name in sorted(wanted - set(value))]
    faults += [f"{path}.{name}: this field is not known" for name in sorted(set(value) - wanted)]
    for name in sorted(wanted & set(value)):
        if name in TEXTS and not isinstance(value[name], str):
            faults.append(f"{path}.{name}: this must be a text")
        if name in NUMBERS and (isinstance(value[name], bool) or not isinstance(value[name], int)):
            faults.append(f"{path}.{name}: this must be an integer")
    if "gpus" in wanted and not faults:
        gpus = value["gpus"]
        if not isinstance(gpus, list) or not all(isinstance(gpu, str) for gpu in gpus):
            faults.append(f"{path}.gpus: this must be a list of texts")
    return faults


def _reason_shape(reasons: Any, path: str) -> list[str]:
    if not isinstance(reasons, list):
        return [f"{path}: this must be a list"]
    good = all(
        isinstance(each, dict)
        and isinstance(each.get("kind"), str)
        and all(
            value is None or (isinstance(value, (int, str)) and not isinstance(value, bool))
            for value in each.values()
        )
        for each in reasons
    )
    return [] if good else [f"{path}: each reason must be an object with a kind, texts and integers"]
