# SPDX-License-Identifier: Apache-2.0
"""Certificates that went with what was sold and shared (rules P2): the auditor redoes it from both
collections, and finds what goes elsewhere, too early or without."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pedchain_audit.errors import Broken, VerificationError
from pedchain_audit.origin import Origin as Redone
from pedchain_audit.registry import Registry
from pedchain_audit.replay import Judged
from pedchain_audit.settlement import Settlement
from pedchain_audit.world import World
from pedchain_fabric.shim.testing import Outcome
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Version, hash_key
from tests.unit.audit.test_origin_redone import changed
from tests.unit.audit.test_settlement_redone import VALID, noting
from tests.unit.audit.test_settlement_redone import redo as settle
from tests.unit.chaincode.district import METERING
from tests.unit.chaincode.mixing import FED, Noon

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


class Done:
    """A noon sold, shared and followed, with a claim of what was left."""

    def __init__(self, noon: Noon, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        held = [json.loads(v[16:]) for v in values(noon) if v[16:].startswith(b"{")]
        closed = [one for one in held if one.get("schema") == "intervals/1"]
        self.intervals = {(one["shard"], one["day"], "F"): one for one in closed}


def values(noon: Noon) -> list[bytes]:
    return [*noon.peer.private(METERING, "readings").values()]


async def history(origin: str = "follows") -> Done:
    noon = Noon(origin)
    outcomes = noting(noon.market)
    await noon.prepare()
    home = next(name for name in noon.people if name not in FED)
    wallet = await noon.wallet(home)
    await noon.settle()
    await noon.share()
    await noon.follow()
    await noon.claim("m1", wallet, 1)
    return Done(noon, outcomes)


@pytest.fixture(scope="module")
async def done() -> Done:
    return await history()


def redo(done: Done, change: Change | None = None, schema: str = "") -> tuple[Redone, Settlement]:
    """Both passes side by side; `change` alters a district's documents of a schema."""
    world, found, settlement = World(), Redone(), Settlement("ped", lambda *_: [])
    found.follows = lambda asked, *what: settlement.follows(asked.world, "DistrictA", *what)
    for number, outcome in enumerate(done.outcomes):
        shown: dict[bytes, bytes] = {}
        for space in outcome.private_namespaces:
            for collection in space.collections:
                if (space.name, collection.name) == (METERING, "readings"):
                    for write in collection.writes:
                        value = changed(write.value, change, schema)
                        shown.update({} if value is None else {hash_key(write.key): value})
        for public in outcome.namespaces:
            if public.name == METERING:
                registry, name = Registry(world, METERING, None), outcome.transaction_id
                found.transaction(public, name, shown, registry, done.intervals, "ped")
        judged = Judged(0, VALID, None, outcome.namespaces)
        private = rwset.encode_private(outcome.private_namespaces)
        settlement.transaction(number, judged, world, private)
        world.apply(outcome.namespaces, Version(number, 0))
    return found, settlement


def test_what_went_with_the_energy_is_redone(done: Done) -> None:
    found, settlement = redo(done)
    went = {pool: wh for hours in found.pools.values() for hour in hours.values()
            for pool, wh in hour.items()}  # fmt: skip
    assert sorted(went) == ["market:1", "sharing:street"]
    given = settlement.given()
    assert sum(went.values()) == sum(given.values()) > 0
    assert not found.lost


async def test_where_the_origin_stays_that_is_redone_too() -> None:
    found, _ = redo(await history("energy-only"))
    assert found.pools == {next(iter(found.pools)): {}}


def less(one: dict[str, Any]) -> dict[str, Any]:
    """A certificate, or an issue, that gives a Wh less than it should."""
    if "hours" in one:
        return {**one, "hours": {at: _less(parts) for at, parts in one["hours"].items()}}
    if one["schema"] == "issue/1" and "followed" in one:
        told = {at: _less(parts) for at, parts in one["followed"].items()}
        return {**one, "followed": told}
    if one.get("followed"):
        return {**one, "followed": _less(one["followed"]), "wh": one["wh"] + 1}
    return one


def _less(parts: dict[str, int]) -> dict[str, int]:
    return {pool: wh - 1 for pool, wh in parts.items()}


def _rows(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "rows": []} if "followed" in one else one


@pytest.mark.parametrize(
    ("schema", "change"),
    [("gc/1", less), ("issue/1", less), ("pools/1", less), ("issue/1", _rows)],
)
def test_what_goes_elsewhere_is_found(done: Done, schema: str, change: Change) -> None:
    with pytest.raises((Broken, VerificationError)):
        redo(done, change, schema)


def test_a_certificate_that_moves_without_it_is_found(done: Done) -> None:
    """The steps that let certificates go are left out, as if the endorsers had no such rule."""
    kept = [one for one in done.outcomes if not _follows(one)]
    assert len(kept) < len(done.outcomes)
    left = Done.__new__(Done)
    left.outcomes, left.intervals = kept, done.intervals
    with pytest.raises(Broken, match="moves without what was sold"):
        redo(left)


def _follows(outcome: Outcome) -> bool:
    return any(
        b'"schema":"pools/1"' in write.value
        for space in outcome.private_namespaces
        for part in space.collections
        for write in part.writes
    )


def test_certificates_that_go_too_early_are_found(done: Done) -> None:
    """The step is put before the hour was shared."""
    at = max(i for i, one in enumerate(done.outcomes) if _follows(one))
    shared = next(i for i, one in enumerate(done.outcomes) if _shares(one))
    assert shared < at
    early = Done.__new__(Done)
    moved = [*done.outcomes[:shared], done.outcomes[at], *done.outcomes[shared:]]
    early.outcomes, early.intervals = moved, done.intervals
    with pytest.raises(Broken, match="while their hour can be shared"):
        redo(early)


def _shares(outcome: Outcome) -> bool:
    return any(
        b'"schema":"shared/1"' in write.value
        for space in outcome.private_namespaces
        for part in space.collections
        for write in part.writes
    )


def test_a_line_that_its_owner_did_not_sign_is_found(done: Done) -> None:
    """The endorsers write that the origin stays where the order said nothing of it."""

    def apart(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "about": [*one["about"], "energy-only"]}

    with pytest.raises(VerificationError, match="not those their owner signed"):
        settle(done.outcomes, apart, lambda kind, _: kind == "ask")
