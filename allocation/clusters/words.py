"""The sentences about clusters that people read: changes, failures, help. For drivers, commands and pages."""

from django.utils.translation import gettext as _

from allocation.clusters.base import Change, Kind


def describe(change: Change) -> str:
    """One line for reconcile and for the dry run."""
    slot = change.reservation
    told = {
        "target": change.target,
        "user": change.user,
        "minutes": change.limit_minutes,
        "place": f"{slot.node} × {len(slot.gpu_indexes)} {slot.gpu_type}" if slot else "",
        "span": f"{slot.starts_at:%Y-%m-%d %H:%M} – {slot.ends_at:%Y-%m-%d %H:%M} UTC" if slot else "",
        "note": _note(change.note),
    }
    return _sentence(change.kind) % told


def _sentence(kind: Kind) -> str:
    sentences = {
        Kind.RESERVATION_DELETE: _("Remove slot %(target)s."),
        Kind.LIMIT_ZERO: _("Leave account %(target)s no hours."),
        Kind.USER_CLOSE: _("Let %(user)s start nothing in account %(target)s."),
        Kind.ACCOUNT_ADD: _("Make account %(target)s."),
        Kind.USER_ADD: _("Let %(user)s use account %(target)s."),
        Kind.USER_OPEN: _("Let %(user)s use account %(target)s again."),
        Kind.LIMIT_SET: _("Set account %(target)s to %(minutes)s GPU minutes."),
        Kind.HOLD: _("Hold account %(target)s: nothing new starts."),
        Kind.RELEASE: _("Release account %(target)s."),
        Kind.RESERVATION_UPDATE: _("Change slot %(target)s to %(span)s."),
        Kind.RESERVATION_REPLACE: _("Make slot %(target)s anew: %(place)s, %(span)s."),
        Kind.RESERVATION_CREATE: _("Make slot %(target)s: %(place)s, %(span)s."),
        Kind.UNKNOWN: _("%(target)s is left alone: %(note)s"),
    }
    return sentences[kind]


def _note(note: str) -> str:
    notes = {
        "account_without_our_mark": _("an account of this name is there, but not ours. Rename one of them."),
        "account_half_ours": _("the account has our mark or a name like ours, but not both."),
        "reservation_half_ours": _("the reservation looks like ours, but its account does not fit its name."),
    }
    return notes.get(note, note)


def refused(reason: str) -> str:
    """Why a change was not sent to the cluster."""
    reasons = {
        "name": _("This name was not made by the portal, so it is not sent to the cluster."),
        "user": _("The user's name on the cluster holds signs that Slurm would misread. Correct it."),
        "node": _("The node's name holds signs that Slurm would misread. Correct it under Clusters."),
        "gpu_type": _("The GPU type's name holds signs that Slurm would misread. Correct it under Clusters."),
        "gpus": _("The slot has no GPU. Plan it again."),
    }
    return reasons[reason]


def not_shown() -> str:
    return _("It was sent, but the cluster does not show it. The next reconcile tries again.")


def not_tried(why: str) -> str:
    return _("Not done, because the cluster went away: %(why)s") % {"why": why}


def slurm_help(account: str, login: str) -> list[str]:
    """How an applicant runs a first job and looks after it."""
    lines = [_("Sign in: %(command)s") % {"command": f"ssh {login}"}] if login else []
    return [
        *lines,
        _("Run a job: %(command)s") % {"command": f"sbatch --account={account} --gpus=1 --time=60 job.sh"},
        _("See your jobs: %(command)s") % {"command": f"squeue --account={account}"},
        _("Stop a job: %(command)s") % {"command": "scancel JOBID"},
        _("Inside your slot, jobs find the reserved GPUs by themselves."),
    ]


def simulated_help(account: str) -> list[str]:
    return [
        _("This cluster is simulated: no job runs on it, and its figures are made up."),
        _("Your account there would be %(account)s.") % {"account": account},
    ]


def simulated_notice() -> str:
    return _("This cluster is simulated. Its jobs and figures are made up. Attach a real one.")


def no_room() -> str:
    return _("The GPUs of this slot are reserved already at that time, or the node does not have them.")
