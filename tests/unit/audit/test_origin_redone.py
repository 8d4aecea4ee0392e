# SPDX-License-Identifier: Apache-2.0
"""Step 8 on what a peer in memory committed: it passes as it is, and nothing of it can be changed
without being found."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pedchain_audit.origin import Origin as Redone
from pedchain_audit.origin import OriginError
from pedchain_audit.registry import Registry
from pedchain_audit.world import World
from pedchain_domain.reasons import DomainError
from pedchain_fabric.shim.testing import Outcome
from pedchain_fabric.wire.rwset import Version, hash_key
from tests.unit.chaincode.district import METERING, Home, day_name
from tests.unit.chaincode.wallets import Origin, Storing, Wallet, foreign, receipt, registers

Change = Callable[[dict[str, Any]], dict[str, Any] | None]
COLLECTION = "readings"


async def history() -> tuple[list[Outcome], dict[tuple[int, str, str], Any]]:
    """Everything a district did, and the intervals its close left."""
    homes = [Home("home-1"), Home("home-2", "P0"), Storing("home-3")]
    ledger = Origin()
    outcomes: list[Outcome] = []
    commit = ledger.peer.commit

    def noted(outcome: Outcome) -> int:
        outcomes.append(outcome)
        return commit(outcome)

    ledger.peer.commit = noted  # type: ignore[method-assign]  # the one place all writes pass
    await ledger.adopt()
    await ledger.register(*homes)
    noon = [700 if hour == 12 else 0 for hour in range(24)]
    records = registers(homes[1].grid, {"I": [300] * 24, "E": [0] * 24})
    for home in (homes[0], homes[2]):
        records += registers(home.grid, {"I": [0] * 24, "E": noon})
        records += registers(home.roof, {"G": noon})
    assert isinstance(homes[2], Storing)
    records += registers(homes[2].battery, {"Ch": [0] * 24, "D": [0] * 24})
    await ledger.day(*records)
    a, b, c = Wallet("acc-1", "home-1"), Wallet("acc-2", "home-2"), Wallet("acc-3", "home-3")
    await ledger.open(a, b, c)
    await ledger.issue()
    whole = (await ledger.active("acc-1"))[0]
    await ledger.debit(a.signed("slice", certificate=whole["id"], parts=[300, 400]))
    part = next(one for one in await ledger.active("acc-1") if one["wh"] == 300)
    await ledger.debit(a.signed("cancel", certificate=part["id"], **{"for": "acc-2"}))
    await ledger.debit(b.signed("claim", certificate=part["id"]))
    await ledger.debit(c.signed("discharge", day=day_name(0)))
    rest = next(one for one in await ledger.active("acc-1") if one["wh"] == 400)
    await ledger.submit("origin:PutForeign", foreign())
    await ledger.debit(a.signed("lock", certificate=rest["id"], registry="north"))
    locked = next(one for one in await ledger.certificates("acc-1") if one["state"] == "locked")
    proof = {"receipt": receipt(locked), "underlying_cancelled": "go-1"}
    await ledger.debit(a.signed("export", certificate=rest["id"], **proof))
    held = [
        json.loads(value[16:])
        for value in ledger.peer.private(METERING, COLLECTION).values()
        if value[16:].startswith(b"{")
    ]
    closed = [one for one in held if one.get("schema") == "intervals/1"]
    return outcomes, {(one["shard"], one["day"], "F"): one for one in closed}


def redo(
    outcomes: list[Outcome], intervals: Any, change: Change | None = None, schema: str = ""
) -> Redone:
    """The audit's own pass; `change` may alter the private documents of a schema, or drop them."""
    world, found = World(), Redone()
    for number, outcome in enumerate(outcomes):
        shown: dict[bytes, bytes] = {}
        for namespace in outcome.private_namespaces:
            for collection in namespace.collections:
                for write in collection.writes:
                    if namespace.name == METERING and collection.name == COLLECTION:
                        value = changed(write.value, change, schema)
                        shown.update({} if value is None else {hash_key(write.key): value})
        for public in outcome.namespaces:
            if public.name == METERING:
                registry = Registry(world, METERING, None)
                tx = outcome.transaction_id
                found.transaction(public, tx, shown, registry, intervals, "ped")
        world.apply(outcome.namespaces, Version(number, 0))
    return found


def changed(value: bytes, change: Change | None, schema: str) -> bytes | None:
    if change is None or f'"schema":"{schema}"'.encode() not in value:
        return value
    document = change(json.loads(value[16:]))
    if document is None:
        return None
    return value[:16] + json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


@pytest.fixture(scope="module")
async def done() -> tuple[list[Outcome], Any]:
    return await history()


def test_what_was_done_is_redone(done: tuple[list[Outcome], Any]) -> None:
    found = redo(*done)
    assert (found.issues, found.debits, found.lost) == (2, 6, False)
    assert found.exported == {day_name(0): {"acc-1": 400}}
    assert list(found.exports().values()) == [400]


@pytest.mark.parametrize(
    ("schema", "change"),
    [
        ("gc/1", lambda one: {**one, "wh": one["wh"] + 1}),
        ("gc/1", lambda one: {**one, "owner": "acc-3"}),
        ("gc/1", lambda one: {**one, "zone": "elsewhere"} if "for" not in one else one),
        ("gc/1", lambda one: {**one, "state": "active"}),
        ("issue/1", lambda one: {**one, "rows": [[*r[:2], r[2] + 1, *r[3:]] for r in one["rows"]]}),
        ("account/1", lambda one: {**one, "counter": one["counter"] and one["counter"] + 1}),
        ("account/1", lambda one: {**one, "site": "home-9"} if one["counter"] else one),
        ("exported/1", lambda one: {**one, "parts": {"acc-1": 399}}),
        ("exported/1", lambda one: {**one, "day": day_name(1)}),
    ],
)
def test_a_changed_document_is_found(
    done: tuple[list[Outcome], Any], schema: str, change: Change
) -> None:
    with pytest.raises((OriginError, DomainError)):
        redo(*done, change, schema)


def test_a_debit_signed_by_another_key_is_found(done: tuple[list[Outcome], Any]) -> None:
    other = Wallet("acc-9").public

    def swapped(one: dict[str, Any]) -> dict[str, Any]:
        return one if one["counter"] else {**one, "key": other}

    with pytest.raises(DomainError, match="bad-signature"):
        redo(*done, swapped, "account/1")


def test_intervals_that_say_otherwise_are_found(done: tuple[list[Outcome], Any]) -> None:
    outcomes, intervals = done
    text = json.dumps(next(iter(intervals.values()))).replace("700", "699")
    with pytest.raises(OriginError, match="intervals"):
        redo(outcomes, dict.fromkeys(intervals, json.loads(text)))


def test_what_is_purged_is_said_to_be_lost(done: tuple[list[Outcome], Any]) -> None:
    assert redo(*done, lambda _: None, "issue/1").lost
