"""Anybody can compute a run again from its file: the same bytes, or the first place that differs."""

import hashlib
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from allocation import awards, bundles, engine
from allocation.models import AllocationRun, Ranking
from portal.lib import merkle
from portal.models import Mail
from tests.factories import a_proposed_run, a_released_run, a_scored_call, after_the_close, an_open_call

pytestmark = pytest.mark.django_db


def said(*words: str, **options) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def written(tmp_path, bundle) -> str:
    path = tmp_path / "run.json"
    path.write_bytes(bundle if isinstance(bundle, bytes) else engine.canonical_bytes(bundle))
    return str(path)


class TestTheFile:
    def test_it_is_canonical_and_holds_what_was_stored(self):
        run = a_released_run()
        data = bundles.as_bytes(run)
        assert data == engine.canonical_bytes(bundles.bundle(run))
        assert engine.canonical_bytes(json.loads(data)["result"]) == run.result.encode()
        assert hashlib.sha256(run.result.encode()).hexdigest() == run.result_sha256

    def test_it_names_nobody(self):
        run = a_released_run()
        data = bundles.as_bytes(run).decode()
        for application in run.call.applications.select_related("group", "owner"):
            for private in (application.group_name, application.title, application.owner.email):
                assert private and private not in data

    def test_the_secret_of_the_lot_comes_with_the_release_only(self):
        run = a_proposed_run()
        assert run.call.lot_secret not in bundles.as_bytes(run).decode()
        awards.approve(run=run, by=None, now=after_the_close(run.call, days=9))
        awards.release(run=run, by=None, now=after_the_close(run.call, days=9))
        run.refresh_from_db()
        lot = bundles.bundle(run)["lot"]
        assert hashlib.sha256(bytes.fromhex(lot["secret"])).hexdigest() == run.call.lot_secret_sha256

    def test_every_receipt_can_be_proved_to_be_in_the_lot(self):
        run = a_released_run()
        lot = bundles.bundle(run)["lot"]
        leaves = [bytes.fromhex(each) for each in lot["receipts"]]
        for index, receipt in enumerate(run.call.receipts.order_by("sequence")):
            leaf, partners = bytes.fromhex(receipt.sha256), merkle.proof(leaves, index)
            assert merkle.verify(leaf, index, len(leaves), partners, bytes.fromhex(lot["root"]))


class TestReplaying:
    def test_a_released_run_gives_the_same_bytes(self):
        run = a_released_run(a_scored_call(hours=225, points=(5, 4, 2)))
        assert run.result_sha256 in said("replay", run.public_id)

    def test_a_downloaded_file_needs_no_row(self, tmp_path):
        path = written(tmp_path, bundles.as_bytes(a_released_run()))
        assert "3 decisions" in said("replay", path)

    @pytest.mark.parametrize(
        ("change", "names"),
        [
            (
                lambda found: found["result"]["decisions"][1].update(gpu_seconds=7),
                r"\$\.result\.decisions\[1\]",
            ),
            (lambda found: found["result"].update(value=1), r"\$\.result\.value: the bundle has 1"),
            (lambda found: found["problem"]["candidates"][0].update(score=0), r"\$\.result"),
            (lambda found: found["problem"].update(seed="0" * 64), r"\$\.problem\.seed"),
            (lambda found: found["lot"].update(secret="0" * 64), r"\$\.lot\.secret"),
            (lambda found: found["lot"]["receipts"].pop(), r"\$\.lot\.root"),
            (lambda found: found["result"]["decisions"].reverse(), r"\$\.result\.decisions\[0\]\."),
        ],
    )
    def test_whatever_was_changed_is_named_first(self, tmp_path, change, names):
        found = bundles.bundle(a_released_run(a_scored_call(points=(5, 4, 2))))
        change(found)
        with pytest.raises(CommandError, match=names) as refused:
            said("replay", written(tmp_path, found))
        assert refused.value.returncode == 1

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"{", "this is not JSON"),
            (b"[]", "a bundle has a problem"),
            (b'{"problem":{},"result":{}}', r"\$"),
            (b'{"problem":{},"result":{},"more":1}', "a bundle has a problem"),
            (b'{"lot":{},"problem":{},"result":{}}', r"\$\.lot"),
            (b'{"problem":1.5,"result":{}}', "1.5 is not an integer"),
        ],
    )
    def test_a_file_that_is_no_bundle_is_refused_in_one_line(self, tmp_path, content, says):
        with pytest.raises(CommandError, match=says) as refused:
            said("replay", written(tmp_path, content))
        assert "\n" not in str(refused.value)

    def test_what_is_not_there_is_said(self, tmp_path):
        with pytest.raises(CommandError, match="There is no run nothing"):
            said("replay", "nothing")
        with pytest.raises(CommandError, match="cannot be read: No such file"):
            said("replay", str(tmp_path / "away.json"))


class TestAllocating:
    def test_it_prints_a_line_for_each_application_and_proposes(self):
        call = closed(a_scored_call(hours=225, points=(5, 4, 2)))
        out = said("allocate", call.slug)
        run = AllocationRun.objects.get()
        for application in call.applications.all():
            assert application.public_id in out
        assert "Mean 2.0 is under 3.0." in out and f"Run {run.public_id} is proposed." in out
        assert "0 hours left" in out

    def test_a_dry_run_stores_and_tells_nothing(self):
        call = closed(a_scored_call(points=(5,)))
        mails = Mail.objects.count()
        assert "Nothing was stored." in said("allocate", call.slug, "--dry-run")
        assert AllocationRun.objects.count() == Ranking.objects.count() == 0
        assert Mail.objects.count() == mails

    def test_it_prints_the_result_for_programs(self):
        call = closed(a_scored_call(points=(5,)))
        result = json.loads(said("allocate", call.slug, "--json", "--rule", "rank-and-cut"))
        assert result["decisions"][0]["outcome"] == "awarded"

    def test_what_cannot_be_done_is_one_line_and_exit_1(self):
        call = an_open_call()
        with pytest.raises(CommandError, match="The call is open until") as refused:
            said("allocate", call.slug)
        assert refused.value.returncode == 1
        with pytest.raises(CommandError, match="There is no call elsewhere"):
            said("allocate", "elsewhere")


def closed(call):
    """The same call, as if it had closed yesterday: the command reads the clock."""
    type(call).objects.filter(pk=call.pk).update(closes_at=timezone.now() - timedelta(days=1))
    call.refresh_from_db()
    return call
