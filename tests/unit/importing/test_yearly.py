# SPDX-License-Identifier: Apache-2.0
"""The yearly folder: what may be printed, and what its check finds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import canonical
from pedchain_domain.der import spki_hex
from pedchain_gateway.yearly import making, seal
from pedchain_gateway.yearly.sentence import sentence

KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = spki_hex(KEY.public_key())
NOW = 1_790_000_000
COMMON = {
    "district": "D", "run": "P", "version": 1, "boundary": {"kind": "feeder", "id": "f7"},
    "factors": "v1", "k_exp": 1, "rule": "electric",
    "scope": {"heating.metered": 12, "heating.unknown": 3, "vehicles.none": 15},
}  # fmt: skip
SHOWN = {
    "coverage": {"energy_ppm": 998_700, "profile_ppm": 990_000},
    "electricity": {"drawn_wh": 5_000, "given_wh": None},
}


def verdict(name: str, claim: str = "electricity") -> dict[str, Any]:
    return {"verdict": name, "rule": "R1", "claim": claim, "reasons": []}


def rolling(name: str = "positive", claim: str = "electricity") -> dict[str, Any]:
    return {
        "schema": "rolling/1", **COMMON, **SHOWN, "first": "2025-09-22", "last": "2026-09-21",
        "days": 365, "verdict": verdict(name, claim),
        "notes": {"indicators.mhd_wh": "differencing"},
    }  # fmt: skip


def certificate(version: int = 1) -> dict[str, Any]:
    return {
        "schema": "certificate/1", **COMMON, "version": version, "day": "2026-09-21", "sites": 15,
        "unmetered_generation_w": 0, "soc_bound_wh": 0, "held_back": False,
    }  # fmt: skip


class Public:
    """A ledger's public answers."""

    def __init__(self) -> None:
        self.certificate = certificate()
        self.samples: list[dict[str, Any]] = []
        month = {"month": "2026-09", "days": 21, "classes": dict.fromkeys("MGSX", 1)}
        self.month = {"schema": "monthly/1", **COMMON, **SHOWN, **month}

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        answers: Mapping[str, Any] = {
            "ListCertificates": {"certificates": [self.certificate], "bookmark": ""},
            "ListSamples": {"samples": self.samples, "bookmark": ""},
            "ListMonthly": {"certificates": [self.month], "bookmark": ""},
            "GetCertificate": self.certificate,
            "GetRolling": rolling(),
            "GetCertificateHistory": [{"transaction": "t1", "certificate": self.certificate}],
            "GetDistrict": {"schema": "district/1", "id": "D"},
            "GetFactors": {"schema": "factors/1", "version": "v1"},
        }
        return canonical.encode(answers[function])


async def made(ledger: Public, out: Path, now: int = NOW) -> tuple[Path, dict[str, Any]]:
    told = await making.make(ledger, "D", out, KEY, "https://d.example/", now)  # type: ignore[arg-type] # only queries
    return out / "D" / told["folder"], told


async def test_the_folder_holds_and_says_where_the_public_checks(tmp_path: Path) -> None:
    folder, told = await made(Public(), tmp_path)
    manifest, wrong = seal.check(folder, SPKI, NOW)
    assert wrong == []
    assert told["check"] == "https://d.example/page/districts/D/certificates/2026-09-21"
    assert told["code"] == seal.code_of((folder / "manifest.json").read_bytes())
    assert sorted(manifest["files"]) == [
        "balance.svg", "certificate.json", "coverage.csv", "district.json", "factors.json",
        "rolling.json", "samples.csv", "sentence.txt", "sites.csv",
    ]  # fmt: skip
    assert "2026-09,P,21,1,1,1,1,998700,990000" in (folder / "coverage.csv").read_text()
    assert "not_printed.indicators.mhd_wh,differencing" in (folder / "sites.csv").read_text()


async def test_it_is_renewed_when_the_ledger_or_the_time_has_gone_on(tmp_path: Path) -> None:
    ledger = Public()
    first, _ = await made(ledger, tmp_path)
    assert (await made(ledger, tmp_path, NOW + 86_400))[0] == first
    assert (await made(ledger, tmp_path, NOW + 5 * 86_400))[0] != first
    ledger.certificate = certificate(version=2)
    assert (await made(ledger, tmp_path, NOW + 5 * 86_400 + 1))[1]["version"] == 2


async def test_what_auditors_found_stands_in_the_folder_and_renews_it(tmp_path: Path) -> None:
    ledger = Public()
    first, _ = await made(ledger, tmp_path)
    assert (first / "samples.csv").read_text().count("\n") == 1
    ledger.samples = [
        {"day": "2026-09-20", "run": "P", "version": 1, "auditor": "OtherMSP", "block": 9, "at": 5,
         "leaves": 32, "verified": 31, "missing": 1, "failed": 0, "opening": None},
    ]  # fmt: skip
    second, _ = await made(ledger, tmp_path, NOW + 1)
    assert second != first
    said = (second / "samples.csv").read_text().splitlines()
    assert said[1:] == ["2026-09-20,P,1,OtherMSP,9,32,31,1,0,"]


async def test_a_superseded_certificate_is_told(tmp_path: Path) -> None:
    ledger = Public()
    folder, _ = await made(ledger, tmp_path)
    manifest, _ = seal.check(folder, SPKI, NOW)
    assert await making.against_ledger(ledger, folder, manifest) == []  # type: ignore[arg-type] # as above
    ledger.certificate = certificate(version=2)
    (told,) = await making.against_ledger(ledger, folder, manifest)  # type: ignore[arg-type] # as above
    assert told.startswith("superseded: version 2")


async def test_what_was_changed_added_or_taken_away_is_told(tmp_path: Path) -> None:
    folder, _ = await made(Public(), tmp_path)
    (folder / "sentence.txt").write_text("positive!")
    (folder / "coverage.csv").unlink()
    (folder / "more.txt").write_text("")
    assert seal.check(folder, SPKI, NOW)[1] == [
        "coverage.csv is missing or was changed",
        "sentence.txt is missing or was changed",
        "more.txt is not listed",
    ]


async def test_another_key_an_old_folder_and_a_revoked_one_do_not_hold(tmp_path: Path) -> None:
    folder, told = await made(Public(), tmp_path)
    other = spki_hex(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert seal.check(folder, other, NOW)[1] == ["not signed by this key"]
    assert seal.check(folder, SPKI, told["until"] + 1)[1] == [
        "no longer valid: look for a newer one"
    ]
    seal.revoke(tmp_path / "D", "D", told["code"], "meter 7 was wrong", KEY, SPKI)
    assert seal.check(folder, SPKI, NOW)[1] == ["revoked: meter 7 was wrong"]


async def test_a_list_of_revoked_codes_that_others_wrote_is_no_list(tmp_path: Path) -> None:
    folder, told = await made(Public(), tmp_path)
    stranger = ec.generate_private_key(ec.SECP256R1())
    own = spki_hex(stranger.public_key())
    seal.revoke(tmp_path / "D", "D", told["code"], "no", stranger, own)
    with pytest.raises(ValueError, match="not signed by this key"):
        seal.check(folder, SPKI, NOW)


async def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    manifest = {"schema": "yearly/1", "files": {"../secret": "00"}, "until": NOW}
    seal.write(tmp_path / "D" / "x", {}, manifest, KEY)
    assert seal.check(tmp_path / "D" / "x", SPKI, NOW)[1] == ["../secret is no file of the folder"]


def test_a_positive_year_is_said_with_its_scope() -> None:
    assert sentence(rolling()) == (
        "D was a positive energy district (electricity) from 2025-09-22 to 2026-09-21. Boundary: "
        "feeder f7; heating of sites: 12 metered, 3 unknown; vehicles of sites: 15 none; factor "
        "table v1, k_exp 1; metered energy 99.87 % of what was required."
    )


@pytest.mark.parametrize("name", ["not_positive", "insufficient_history", "insufficient_coverage"])
def test_without_the_verdict_no_claim_may_be_printed(name: str) -> None:
    """Before a year not even the word (rules V5)."""
    said = sentence(rolling(name))
    assert said.startswith("No claim may be printed for D")
    assert "positive" not in said
