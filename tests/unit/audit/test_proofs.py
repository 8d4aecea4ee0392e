# SPDX-License-Identifier: Apache-2.0
"""`ped-audit proof check`: offline, against a certificate or a copied ledger (rules C5)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pedchain_audit import cli
from pedchain_domain import dayclose, fold, leaves, proofs
from tests.unit.domain import homes
from tests.unit.domain.homes import START, registers_of

HOUR = 3600


@pytest.fixture
def made() -> tuple[dict[str, Any], dict[str, Any]]:
    """A proof of the sixth hour of a home, and the certificate it belongs to."""
    roster = homes.roster_of({"h": "P1", "i": "P0"})
    energies = {"h": {"I": [100] * 24, "E": [40] * 24, "G": [90] * 24}, "i": {"I": [7] * 24}}
    rows = homes.rows(registers_of(energies))
    day = homes.days(1)[0]
    folded = fold.fold(rows, fold.empty_head(0), [day], period=1, shard=0, grain=HOUR)
    closed = dayclose.close_shard(
        day, folded.folds[day["day"]], roster, homes.district(), homes.factors()
    )
    total = dayclose.add(None, closed.partial)
    at = START + 5 * HOUR
    found = proofs.make(closed.intervals, total["roots"], "h.GCP", at, day, HOUR)
    return {**found, "district": "A", "run": "F"}, {
        "root": dayclose.district_root(total),
        "run": "F",
    }


def check(folder: Path, proof: dict[str, Any], certificate: dict[str, Any]) -> int:
    for name, document in (("proof", proof), ("certificate", certificate)):
        (folder / f"{name}.json").write_text(json.dumps(document))
    return cli.check_proof(folder / "proof.json", certificate=folder / "certificate.json")


def test_a_proof_says_what_it_shows(
    made: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, *made) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "VERIFIED"
    place = f"point h.GCP, interval {START + 5 * HOUR}"
    assert said[0] == f"A 2026-01-01 run F: {place}: E 40 (M), I 100 (M)"


def test_another_value_or_another_certificate_is_tampered(
    made: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, certificate = made
    other = {**proof, "shown": proof["shown"].replace('"E":["M",40]', '"E":["M",41]')}
    assert other != proof
    assert check(tmp_path, other, certificate) == 1
    assert check(tmp_path, proof, {**certificate, "root": "00" * 32}) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "TAMPERED"


def test_without_something_to_check_against_nothing_is_claimed(
    made: tuple[dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "proof.json").write_text(json.dumps(made[0]))
    assert cli.check_proof(tmp_path / "proof.json") == 2
    assert cli.check_proof(tmp_path / "none.json", ledger=tmp_path) == 2


@pytest.mark.fault(22)
def test_a_small_number_cannot_be_guessed_from_the_hashes_beside_it(
    made: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    """Who is shown one interval gets its neighbours' hashes: each has a 128-bit salt of its own."""
    proof, _ = made
    beside = {sibling for level in proof["path"] for sibling in level[2]}
    salt = bytes.fromhex(proof["salt"])
    for instant in range(START, START + 24 * HOUR, HOUR):
        for wh in range(200):
            shown = leaves.leaf_bytes("h.GCP", instant, {"I": ["M", wh], "E": ["M", 40]})
            for guessed in (b"", bytes(16), salt):
                digest = hashlib.sha256(b"\x00" + guessed + shown).hexdigest()
                assert digest not in beside
