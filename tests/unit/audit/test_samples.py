# SPDX-License-Identifier: Apache-2.0
"""A district opens a day's sample; what an auditor finds of it, and of a tampered one."""

import copy
import json
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block, BlockData, BlockHeader, BlockMetadata

from pedchain_audit import samples, sampling
from pedchain_audit.errors import VerificationError
from pedchain_domain import canonical
from pedchain_fabric.wire import block, compositekey
from pedchain_gateway.exporting.opening import Opening
from tests.unit.chaincode.closing import hourly, opened
from tests.unit.chaincode.district import METERING, Home, Ledger, day_name

DAY, LEAVES = day_name(0), 12
BLOCK = Block(
    header=BlockHeader(number=7, previous_hash=b"\x11" * 32),
    data=BlockData(data=[b"x"]),
    metadata=BlockMetadata(metadata=[b""] * 5),
)
HASH = block.header_hash(BLOCK.header).hex()


class Asked:
    """The gateway's ledger, on a peer in memory; every transaction is in one block."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        return await self._ledger.peer.evaluate(definition, function, *arguments)

    async def block_of(self, _: str) -> bytes:
        return BLOCK.SerializeToString()


async def certified(plan: str = "P1") -> Ledger:
    homes = [Home(f"home-{n}", plan) for n in range(3)]
    ledger = await opened(*homes)
    for home in homes:
        await ledger.file(*hourly(home))
    await ledger.fold(await ledger.seal())
    await ledger.close(DAY)
    return ledger


def ground(ledger: Ledger) -> sampling.Ground:
    """What the public ledger says, as an archive of blocks would."""
    found = sampling.Ground("ped")
    for key, value in ledger.peer.state(METERING).items():
        if key.startswith(compositekey.NAMESPACE):
            sampling.note(found, 7, DAY, (key, value), ledger.peer.now)
    return found


@pytest.fixture
async def made() -> tuple[sampling.Ground, dict[str, Any]]:
    ledger = await certified()
    opening = await Opening(Asked(ledger), "DistrictA", DAY, print).make(LEAVES)  # type: ignore[arg-type] # only queries
    return ground(ledger), json.loads(canonical.encode(opening))


def states(found: list[sampling.Finding]) -> dict[str, int]:
    told = [one.state for one in found]
    return {state: told.count(state) for state in sorted(set(told))}


Made = tuple[sampling.Ground, dict[str, Any]]


def test_every_leaf_that_the_block_draws_is_verified(made: Made) -> None:
    held, opening = made
    assert (opening["hash"], opening["leaves"]) == (HASH, LEAVES)
    found = sampling.check(held, opening, HASH, LEAVES)
    assert states(found) == {"verified": LEAVES}, [one.text for one in found]
    assert any("I 300 (M)" in one.text for one in found)


def test_an_opening_tells_of_no_other_point(made: Made) -> None:
    held, opening = made
    for leaf in opening["opened"]:
        shown = json.loads(leaf["proof"]["shown"])
        points = {held.devices[one["device"]]["document"]["point"] for one in leaf["records"]}
        assert points == {shown["point"]}
        assert len(leaf["records"]) == 2


def test_a_larger_sample_than_was_opened_is_missing_in_part(made: Made) -> None:
    held, opening = made
    assert states(sampling.check(held, opening, HASH, 20)) == {"missing": 8, "verified": LEAVES}


def test_another_block_draws_other_leaves(made: Made) -> None:
    held, opening = made
    assert "verified" not in states(sampling.check(held, opening, "00" * 32, LEAVES))


def tampered(opening: dict[str, Any], what: str) -> dict[str, Any]:
    found = copy.deepcopy(opening)
    leaf, other = found["opened"][0], found["opened"][1]
    record = leaf["records"][0]
    match what:
        case "value":
            shown = leaf["proof"]["shown"]
            leaf["proof"]["shown"] = shown.replace('["M",', '["M",9', 1)
        case "leaf":
            found["opened"][0] = other
        case "record":
            record["record"] = other["records"][0]["record"]
        case "salt":
            record["salt"] = "00" * 16
        case "device":
            record["device"] = "home-9.grid"
        case "transaction":
            record["transaction"] = "0" * 64
        case "junk":
            leaf["records"] = [{"record": 3}]
        case "records":
            leaf["records"] = []
        case "refused":
            found["opened"][0] = {"refused": "malformed-document"}
    return found


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("value", "failed"),
        ("leaf", "failed"),
        ("record", "failed"),
        ("salt", "failed"),
        ("device", "failed"),
        ("transaction", "failed"),
        ("junk", "failed"),
        ("records", "missing"),
        ("refused", "missing"),
    ],
)
def test_what_was_tampered_with_is_not_verified(made: Made, what: str, state: str) -> None:
    held, opening = made
    found = sampling.check(held, tampered(opening, what), HASH, LEAVES)
    assert found[0].state == state, found[0].text
    assert states(found)["verified"] == LEAVES - 1


def test_a_point_that_is_hidden_or_another_certificate_says_nothing(made: Made) -> None:
    held, opening = made
    hidden = copy.deepcopy(opening)
    hidden["cells"]["0"].pop()
    for wrong in (hidden, {**opening, "version": 2}, {**opening, "cells": 3}):
        with pytest.raises(VerificationError, match="sample"):
            sampling.check(held, wrong, HASH, LEAVES)


def test_a_value_that_its_registers_do_not_say_fails() -> None:
    """All that is hashed is right, and the certificate's own number is not what was signed."""
    leaf = {"registers": {"I": ["M", 301]}}
    stood = {("home-0.grid", "I"): {0: 100, 3600: 400}}
    assert sampling.finding(leaf, stood, (0, 3600), "x").state == "failed"
    assert sampling.finding({"registers": {"I": ["S", 301]}}, stood, (0, 3600), "x").state == (
        "verified"
    )
    assert sampling.finding(leaf, {}, (0, 3600), "x").state == "missing"


def test_the_result_is_counts_and_digests_alone(made: Made) -> None:
    held, opening = made
    found = sampling.check(held, tampered(opening, "refused"), HASH, LEAVES)
    block_of = {"block": 7, "hash": HASH}
    told = samples.Result(
        "DistrictA", samples.document(held.certificate, block_of, found, "ab" * 32), found
    )
    assert not told.holds
    assert samples.text(told).endswith("11 verified, 1 missing, 0 failed\nINCOMPLETE")
    assert sorted(told.document) == [
        "block", "day", "failed", "hash", "leaves", "missing", "opening", "root", "run", "schema",
        "verified", "version",
    ]  # fmt: skip
