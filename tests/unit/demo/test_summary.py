# SPDX-License-Identifier: Apache-2.0
"""The demo's last lines say what happened, the unpleasant included."""

from typing import Any

import pytest

from pedchain_demo import commands, stages, summary
from pedchain_demo.errors import DemoError
from pedchain_demo.page import page

VERIFIED: dict[str, Any] = {
    "verified": True, "blocks": 9, "orderer_signatures": 24, "endorsements": 14, "transactions": 8,
    "invalid": {"MVCC_READ_CONFLICT": 1}, "device_signatures": 5, "certificates": 2,
    "not_checked": [],
}  # fmt: skip
TAMPERED: dict[str, Any] = {
    "verified": False, "block": 4, "transaction": None, "check": "data hash", "text": "not so",
}  # fmt: skip


def window(**changed: int | None) -> dict[str, Any]:
    return {
        "days": 14,
        "indicators": {"oer_ppm": 1_440_000, "self_consumption_ppm": 421_000, **changed},
        "coverage": {"energy_ppm": 998_000},
        "emissions": {
            "avoided_electricity_ug": 36_000_000_000,
            "avoided_heat_ug": 3_000_000_000,
            "avoided_mobility_ug": -800_000_000,
        },
    }


def certificate(surplus: int | None, **changed: int | None) -> dict[str, Any]:
    to_date = {"days": 14, "surplus_wh": surplus}
    return {
        "day": "2026-11-20",
        "window": window(**changed),
        "verdict": {"verdict": "insufficient_history", "rule": "electric", "to_date": to_date},
        "electricity": {"export_wh": 2_000, "import_wh": None},
        "classes": {"M": 10, "G": 1, "S": 0, "X": 0},
    }


def test_a_district_is_told_in_one_line() -> None:
    line = summary.district_line("DistrictA", [certificate(-5_500)])
    assert "OER 1.44" in line
    assert "coverage 99.8 %" in line
    assert "avoided 38.2 kg CO2" in line
    assert "14 of 365 days, balance to date -6 kWh" in line


def test_what_may_not_be_published_is_said_and_never_zero() -> None:
    line = summary.district_line("DistrictB", [certificate(None, oer_ppm=None)])
    assert "OER not published" in line
    assert "balance to date not published" in line


def test_both_audits_end_in_their_word() -> None:
    lines = list(summary.audit_lines(VERIFIED, TAMPERED))
    assert lines[-2].endswith("VERIFIED")
    assert lines[-1].endswith("TAMPERED, as it should")
    assert "block 4, data hash" in lines[-1]


PROFILE: dict[str, Any] = {"peers": [1, 2, 3, 4], "orderers": [1, 2, 3, 4], "channel": "ped"}


def test_what_stands_in_the_ledger_is_the_auditors_word() -> None:
    lines = list(summary.ledger_lines(PROFILE, VERIFIED))
    assert "4 organisations, 4 orderers, channel ped" in lines[1]
    assert "9 blocks, 3 orderers' signatures on each" in lines[2]


def test_of_a_ledger_that_does_not_verify_nothing_is_claimed() -> None:
    assert not any("endorsed" in line for line in summary.ledger_lines(PROFILE, TAMPERED))


def test_a_ledger_that_does_not_verify_is_not_called_verified() -> None:
    lines = list(summary.audit_lines(TAMPERED, VERIFIED))
    assert lines[-2].endswith("TAMPERED")
    assert lines[-1].endswith("VERIFIED (wrong)")


def test_the_page_needs_no_script_and_leaves_hidden_days_empty() -> None:
    text = page("<last lines>", {"DistrictA": [certificate(1)]})
    assert "<script" not in text
    assert "&lt;last lines&gt;" in text
    assert 'height="0.0"' in text


@pytest.mark.parametrize(("days", "count"), [(2, 0), (7, 5), (14, 4), (60, 19), (365, 52)])
def test_a_closing_certifies_the_days_before_the_one_just_posted(days: int, count: int) -> None:
    names = [f"day-{at:03}" for at in range(days)]
    through = stages.closings(names)
    assert len(through) == count
    assert all(names.index(last) == names.index(posted) - 1 for posted, last in through.items())


def test_a_command_that_fails_shows_what_it_said_last() -> None:
    with pytest.raises(DemoError, match="no-such-option"):
        commands.run("ped-audit", "verify", "--no-such-option")
