# SPDX-License-Identifier: Apache-2.0
"""What `ped-audit` answers, in words, as JSON, as a page; its exit codes."""

import json
import re
import shutil
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, Metadata

from pedchain_audit.archive import Archive
from pedchain_audit.cli import app
from pedchain_fabric.wire import block as wire_block

GOLDEN = Path(__file__).parents[2] / "golden"
LEDGER, JOB = GOLDEN / "ledger", GOLDEN / "main-job"


def run(*arguments: object) -> int:
    return int(app([str(each) for each in arguments], result_action="return_value"))


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    """A copy whose peer noted another commit hash in block 20."""
    folder = tmp_path / "tampered"
    shutil.copytree(LEDGER, folder)
    path = Archive(folder).block_path(20)
    block = Block.FromString(path.read_bytes())
    noted = Metadata(value=b"\x01" * 32).SerializeToString()
    block.metadata.metadata[wire_block.COMMIT_HASH] = noted
    path.write_bytes(block.SerializeToString(deterministic=True))
    return folder


def test_verify_says_what_was_checked_and_what_cannot_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("verify", LEDGER, "--quiet") == 0
    told = capsys.readouterr().out
    assert told.endswith("VERIFIED\n")
    assert "that every connection of a district is a member" in told
    assert "block 22, transaction 0" in told  # an event of one organisation


def test_verify_for_machines(tampered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", LEDGER, "--json", "--from", 10, "--to", 12) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verified"], found["first"], found["blocks"]) == (True, 10, 3)
    assert run("verify", tampered, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verified"], found["block"], found["check"]) == (False, 20, "commit hash")


def test_the_page_needs_nothing_else_and_tells_the_same(tampered: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run("verify", JOB, "--html", page) == 0
    told = page.read_text()
    assert "VERIFIED" in told
    assert "that a meter measured right" in told
    assert told.count("<svg") == 3
    assert "DistrictA" in told
    assert not re.search(r"<script|src=|https?://", told)
    assert run("verify", tampered, "--html", page) == 1
    told = page.read_text()
    assert "TAMPERED" in told
    assert "block 20: commit hash." in told


def test_history_tells_who_wrote_and_who_endorsed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("history", JOB, "metering-DistrictA", "certificate", "2026-11-20") == 0
    told = capsys.readouterr().out
    assert "block 47, transaction 0" in told
    assert "by DistrictAMSP, endorsed by DistrictAMSP, DSOMSP" in told
    assert '"day": "2026-11-20"' in told
    assert run("history", JOB, "metering-DistrictA", "certificate", "1999-01-01") == 2


def test_a_certificate_is_recomputed_where_its_readings_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("certificate", JOB, "DistrictB", "2026-11-20") == 0
    assert "recomputed from the readings\nVERIFIED" in capsys.readouterr().out
    public = tmp_path / "public"
    shutil.copytree(JOB, public, ignore=shutil.ignore_patterns("private"))
    assert run("certificate", public, "DistrictB", "2026-11-20") == 0
    told = capsys.readouterr().out
    assert "not checked: readings and certificates of DistrictB" in told
    assert "endorsed as its policy asks\nVERIFIED" in told


def test_settlement_says_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("settlement", JOB) == 0
    assert "they rest on 4 certified days" in capsys.readouterr().out


def test_views_that_agree_are_the_same_however_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter = tmp_path / "shorter"
    shutil.copytree(LEDGER, shorter)
    Archive(shorter).block_path(28).unlink()
    assert run("compare", LEDGER, shorter) == 0
    assert capsys.readouterr().out.endswith("SAME\n")


@pytest.mark.fault(26)
def test_views_that_differ_are_split_at_a_block(
    tampered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commit hash is each peer's own note: what differs is what came of the same blocks."""
    Archive(tampered).block_path(21).unlink()
    assert run("compare", LEDGER, tampered) == 1
    told = capsys.readouterr().out
    assert "block 20:" in told
    assert "commit hash" in told
    assert told.endswith("SPLIT\n")


def test_a_witness_signs_what_it_was_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, log = tmp_path / "witness.pem", tmp_path / "heads.jsonl"
    watch = ("watch", LEDGER, "--key", key, "--log", log, "--once")
    assert run(*watch) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    (line,) = map(json.loads, log.read_text().splitlines())
    assert (line["number"], line["channel"]) == (28, "ped")
    assert run(*watch) == 0
    assert len(log.read_text().splitlines()) == 1
    log.write_text(log.read_text().replace('"number": 28', '"number": 27'))
    assert run(*watch) == 2
    assert "not as its witness signed it" in capsys.readouterr().err


@pytest.mark.fault(27)
def test_a_witness_raises_an_alarm_on_split_views(
    tmp_path: Path, tampered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each was shown one ledger; who exchange their logs see that there are two."""
    Archive(tampered).block_path(21).unlink()
    shorter = tmp_path / "shorter"
    shutil.copytree(LEDGER, shorter)
    Archive(shorter).block_path(21).unlink()
    first, second = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert run("watch", shorter, "--key", tmp_path / "1.pem", "--log", first, "--once") == 0
    watch = ("watch", tampered, "--key", tmp_path / "2.pem", "--log", second, "--once")
    assert run(*watch) == 0
    assert run(*watch, "--others", first) == 1
    told = capsys.readouterr().out
    assert "block 20 of ped" in told
    assert told.endswith("SPLIT\n")


def test_a_ledger_that_shrinks_is_an_alarm(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    shutil.copytree(LEDGER, ledger)
    watch = ("watch", ledger, "--key", tmp_path / "k.pem", "--log", tmp_path / "log", "--once")
    assert run(*watch) == 0
    Archive(ledger).block_path(28).unlink()
    assert run(*watch) == 1
