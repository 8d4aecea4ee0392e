# SPDX-License-Identifier: Apache-2.0
"""Contract privacy: what a subject is given, what erasing leaves, what retention purges."""

import json
import re
from typing import Any

import pytest

from pedchain_chaincode import limits
from pedchain_chaincode.metering.batchdoc import BatchDocument
from pedchain_domain import leaves, merkle
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    OTHER,
    START,
    Home,
    day_name,
)
from tests.unit.chaincode.wallets import Origin, Wallet, registers

SITE = "home-1"


async def finished(days: int = 2) -> Origin:
    """Two homes, their days closed by all runs, the first day's generation issued."""
    homes = [Home(SITE), Home("home-2")]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    for day in range(days):
        for number, home in enumerate(homes):
            drawn = {"I": [271 + number] * 24, "E": [83] * 24}
            made = {"G": [417] * 24}
            grid = registers(home.grid, drawn, day, {r: v[0] * 24 * day for r, v in drawn.items()})
            roof = registers(home.roof, made, day, {"G": 417 * 24 * day})
            await ledger.file(*grid, *roof)
        await ledger.fold(await ledger.seal())
        await ledger.close(day_name(day))
    await ledger.open(Wallet("acc-a", SITE))
    ledger.peer.now = START + 100 * DAY
    for run in ("F", "FINAL"):
        for day in range(days):
            await ledger.close(day_name(day), run)
    await ledger.issue()
    return ledger


async def erase(ledger: Origin, **what: Any) -> None:
    transient = {
        "subject": json.dumps({"site": SITE, "cell": 0, **what}).encode(),
        **ledger.fresh(),
    }
    await ledger.submit("privacy:Erase", creator=OPERATOR, transient=transient)


async def records(ledger: Origin, periods: int = 2) -> list[dict[str, Any]]:
    found = []
    for period in range(1, periods + 1):
        page = await ledger.ask("privacy:ListSubjectRecords", SITE, str(period), "")
        assert page["bookmark"] == ""
        found += page["records"]
    return found


async def erase_all(ledger: Origin, days: int = 2) -> None:
    batches = sorted({one["transaction"] for one in await records(ledger)})
    for day in range(days):
        await erase(ledger, day=day_name(day))
    await erase(ledger, batches=batches, first=day_name(0), last=day_name(days - 1))
    await erase(ledger, account=1)


def held(ledger: Origin) -> bytes:
    """All that the collection holds now."""
    return b"".join(ledger.peer.private(METERING, "readings").values())


async def test_a_subject_gets_its_records_with_proofs_to_the_public_root() -> None:
    ledger = await finished()
    found = await records(ledger)
    assert {one["device"] for one in found} == {"home-1.grid", "home-1.roof"}
    assert len(found) == 2 * (25 + 24)
    markers = {
        key.split("\x00")[-2]: json.loads(value)
        for key, value in ledger.peer.state(METERING).items()
        if key.startswith("\x00batch")
    }
    for one in found:
        index, size, path = one["proof"]
        leaf = merkle.leaf_hash(hex_bytes(one["salt"]) + hex_bytes(one["record"]))
        siblings = [hex_bytes(sibling) for sibling in path]
        root = hex_bytes(markers[one["transaction"]]["root"])
        assert merkle.verify(leaf, index, size, siblings, root)


async def test_a_subject_gets_its_intervals_with_seeds_and_a_path() -> None:
    ledger = await finished()
    found = await ledger.ask("privacy:GetSubjectDay", SITE, day_name(0))
    points = found["intervals"][""]
    assert sorted(points) == ["home-1.gcp", "home-1.gen"]
    for name, point in points.items():
        values, classes = next(iter(point["registers"].values()))
        shown = {r: [c[0], v[0]] for r, (v, c) in sorted(point["registers"].items())}
        salted = leaves.leaf_salt(point["seed"], 0) + leaves.leaf_bytes(name, START, shown)
        assert merkle.leaf_hash(salted)
        assert (len(values), set(classes)) == (24, {"M"})
        assert point["proof"][1] == 4
    assert [document["schema"] for document in found["origin"]] == ["issue/1"]
    assert found["draws"] == [271] * 24


async def test_erasure_leaves_nothing_of_the_subject_and_changes_no_certificate() -> None:
    ledger = await finished()
    before = {key: value for key, value in ledger.peer.state(METERING).items() if "cert" in key}
    window = await ledger.ask("GetWindow")
    assert b"home-1." in held(ledger)
    await erase_all(ledger)
    left = held(ledger)
    assert traces(ledger) == []
    assert b"home-2.grid" in left
    after = {key: value for key, value in ledger.peer.state(METERING).items() if "cert" in key}
    assert after == before
    assert await ledger.ask("GetWindow") == window
    assert await records(ledger) == []
    found = await ledger.ask("privacy:GetSubjectDay", SITE, day_name(0))
    assert {name: sorted(point) for name, point in found["intervals"][""].items()} == {
        "home-1.gcp": ["proof", "root"],
        "home-1.gen": ["proof", "root"],
    }
    assert (found["folds"], found["draws"], found["origin"]) == (
        [{"period": 1, "series": {}}],
        None,
        [],
    )


def traces(ledger: Origin) -> list[bytes]:
    """Values that still name the subject, but for what is said to stay: that its points exist and
    their roots, the counters its devices have used, and the register of midnight with which the
    next day begins."""
    found = []
    for value in ledger.peer.private(METERING, "readings").values():
        counters = b'"schema":"head/1"' in value or value[16:].startswith(b'{"devices":{')
        stays = counters or day_name(2).encode() in value
        rest = re.sub(rb'"home-1[.](gcp|gen)":{"root":"[0-9a-f]{64}"}', b"", value)
        if b"home-1" in rest and not stays:
            found.append(value)
    return found


async def test_an_erased_batch_keeps_its_root_and_all_other_records() -> None:
    ledger = await finished()
    names = sorted({one["transaction"] for one in await records(ledger)})
    others = [r for r in _all_records(ledger) if b"home-2." in r]
    await erase(ledger, batches=names, first=day_name(0), last=day_name(1))
    assert sorted(_all_records(ledger)) == sorted(others)
    await erase(ledger, batches=names, first=day_name(0), last=day_name(1))  # changes nothing


def _all_records(ledger: Origin) -> list[bytes]:
    values = ledger.peer.private(METERING, "readings")
    found: list[bytes] = []
    for key, value in values.items():
        if key.startswith("\x00batch"):
            found += BatchDocument.decode(value).records()
    return found


async def test_both_subjects_may_be_erased_one_after_the_other() -> None:
    ledger = await finished()
    await erase_all(ledger)
    page = [
        await ledger.ask("privacy:ListSubjectRecords", "home-2", str(period), "")
        for period in (1, 2)
    ]
    names = sorted({one["transaction"] for each in page for one in each["records"]})
    for what in (
        {"day": day_name(0)},
        {"day": day_name(1)},
        {"batches": names, "first": day_name(0), "last": day_name(1)},
    ):
        await erase(ledger, **{"site": "home-2", **what})
    assert _all_records(ledger) == []
    assert b'"seed"' not in held(ledger)


async def test_only_final_days_are_erased() -> None:
    homes = [Home(SITE)]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    await ledger.day(*registers(homes[0].grid, {"I": [9] * 24, "E": [0] * 24}))
    for what in (
        {"day": day_name(0)},
        {"batches": [], "first": day_name(0), "last": day_name(0)},
    ):
        with pytest.raises(TransactionFailed, match="run-missing"):
            await erase(ledger, **what)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"site": "nowhere", "day": day_name(0)}, "unknown-site"),
        ({"site": 7, "day": day_name(0)}, "malformed-id"),
        ({"night": 1}, "malformed-document"),
        ({"batches": ["x"] * 5, "first": day_name(0), "last": day_name(0)}, "too-large"),
    ],
)
async def test_each_guard_of_an_erasure_has_its_reason(what: dict[str, Any], reason: str) -> None:
    ledger = await finished(1)
    with pytest.raises(TransactionFailed, match=reason):
        await erase(ledger, **what)


async def test_only_the_dso_and_the_district_erase_and_purge() -> None:
    ledger = await finished(1)
    subject = {"subject": json.dumps({"site": SITE, "cell": 0, "day": day_name(0)}).encode()}
    with pytest.raises(TransactionFailed, match="not-permitted"):
        await ledger.submit("privacy:Erase", creator=OTHER, transient={**subject, **ledger.fresh()})
    with pytest.raises(TransactionFailed, match="not-permitted"):
        await ledger.submit("privacy:Purge", day_name(0), creator=OTHER)


async def test_what_an_erasure_shows_in_public_is_a_count() -> None:
    ledger = await finished()
    await erase(ledger, day=day_name(0))
    outcome = ledger.peer.last
    assert outcome is not None
    assert (outcome.payload, outcome.event) == (b"done", None)
    assert b"roster" in outcome.results  # of the cell, whose document is public, and no site's own
    public = b"".join(write.value for ns in outcome.namespaces for write in ns.writes)
    for secret in (b"home-1", b"271", b"6504"):
        assert secret not in outcome.results
        assert secret not in public
    marks = [v for k, v in ledger.peer.state(METERING).items() if k.startswith("\x00erasure")]
    assert [sorted(json.loads(mark)) for mark in marks] == [["documents"]]


async def purge(ledger: Origin, day: int) -> int:
    steps = 1
    while await ledger.submit("privacy:Purge", day_name(day), creator=OPERATOR) != b"done":
        steps += 1
    return steps


async def test_retention_purges_what_is_old_and_keeps_day_totals_and_certificates() -> None:
    ledger = await finished()
    public = {key: value for key, value in ledger.peer.state(METERING).items() if "cert" in key}
    ledger.peer.now = START + (limits.RETENTION_DAYS + 1) * DAY
    await purge(ledger, 0)
    assert (await ledger.ask("privacy:GetRetention"))["day"] == day_name(0)
    kept = _all_records(ledger)
    assert kept  # period 1 holds the register of midnight, which day 1 begins with: it goes then
    with pytest.raises(TransactionFailed, match="too-early"):
        await purge(ledger, 1)
    ledger.peer.now += DAY
    await purge(ledger, 1)
    assert _all_records(ledger) == []
    left = held(ledger)
    for value in ledger.peer.private(METERING, "readings").values():
        for day in (0, 1):
            assert b'"day":"' + day_name(day).encode() not in value or b'"totals/1"' in value
    for schema in (b"intervals/1", b"draws/1", b"trail/1", b"issue/1"):
        assert b'"schema":"' + schema not in left
    assert b'"schema":"totals/1"' in left
    assert (await ledger.ask("GetWindow"))["days"]
    after = {key: value for key, value in ledger.peer.state(METERING).items() if "cert" in key}
    assert after == public
    assert await purge(ledger, 1) == 1


async def test_what_run_final_has_not_closed_is_not_purged() -> None:
    homes = [Home(SITE)]
    ledger = Origin()
    await ledger.adopt()
    await ledger.register(*homes)
    await ledger.day(*registers(homes[0].grid, {"I": [9] * 24, "E": [0] * 24}))
    ledger.peer.now = START + 999 * DAY
    with pytest.raises(TransactionFailed, match="run-missing"):
        await purge(ledger, 0)


async def test_of_two_purges_in_flight_one_fails() -> None:
    ledger = await finished(1)
    ledger.peer.now = START + 999 * DAY
    call = (METERING, "privacy:Purge", day_name(0))
    both = [await ledger.peer.endorse(*call, creator=OPERATOR) for _ in range(2)]
    ledger.peer.commit(both[0])
    with pytest.raises(CommitRefused):
        ledger.peer.commit(both[1])
