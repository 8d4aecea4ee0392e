# SPDX-License-Identifier: Apache-2.0
"""Decisions of all districts, adoptions and claims redone: what colluding endorsers could have
written instead is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pedchain_audit import decisions
from pedchain_audit.claims import Claims
from pedchain_audit.decisions import Act
from pedchain_audit.registry import Registry, RegistryError
from pedchain_domain import canonical
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace, hash_key
from tests.unit.audit.redone import Change, History, altered, private_values
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    OTHER,
    START,
    Home,
    Ledger,
    day_name,
    district,
)
from tests.unit.chaincode.people import CLAIM, CODE, claim, key_of, possession, transient

LATER = day_name(11)


@pytest.fixture(scope="module")
async def decided() -> History:
    """A change that both districts agree to, and its adoption."""
    ledger = Ledger()
    history = History.of(ledger.peer)
    await ledger.adopt()
    other = district(id="DistrictB", operator="DistrictBMSP")
    await ledger.peer.submit("registry", "PutDistrict", canonical.encode(other))
    ledger.peer.now = START + 9 * DAY + 3_600
    changed = {**ledger.district, "rule": "R2", "from": LATER}
    await ledger.peer.submit("registry", "PutDistrict", canonical.encode(changed))
    proposal = await ledger.peer.evaluate("registry", "GetProposal", "DistrictA")
    digest = str(json.loads(proposal)["hash"])
    for client in (OPERATOR, OTHER):
        await ledger.peer.submit("registry", "Approve", "DistrictA", digest, creator=client)
    await ledger.submit("Adopt", "DistrictA")
    return history


def redo(history: History, kind: str = "", change: Change | None = None, **by: Any) -> int:
    """The audit's own pass; `change` alters documents of a kind, `by` who did what is redone."""
    approvals = 0
    for outcome, act, world in history.play():
        who = Act(**{**act._asdict(), **by}) if by else act
        for namespace in outcome.namespaces:
            seen = altered(namespace, kind, change) if change else namespace
            central = Registry(world, decisions.REGISTRY)
            if seen.name == decisions.REGISTRY:
                approvals += decisions.check(seen, central, who)
            elif seen.name == METERING:
                decisions.adoption(seen, Registry(world, METERING), central)
    return approvals


def test_what_all_districts_agreed_to_stands(decided: History) -> None:
    assert redo(decided) == 2


@pytest.mark.parametrize(
    ("kind", "change", "text"),
    [
        ("proposal", lambda one: {**one, "required": ["DistrictAMSP"]}, "every district"),
        ("proposal", lambda one: {**one, "hash": "00"}, "hash"),
        ("decision", lambda one: {**one, "approvals": one["approvals"][1:]}, "not that of"),
        ("district", lambda one: {**one, "rule": "R3"} if "from" in one else one, "decision"),
        ("adopted", lambda one: {**one, "rule": "R3"}, "registry holds"),
        ("factors", lambda one: {**one, "source": "mine"}, "registry holds"),
    ],
)
def test_what_they_did_not_agree_to_is_named(
    decided: History, kind: str, change: Change, text: str
) -> None:
    def only(one: dict[str, Any]) -> dict[str, Any]:
        return one if kind == "proposal" and one["approvals"] else change(one)

    with pytest.raises(RegistryError, match=text):
        redo(decided, kind, only)


def test_an_approval_by_another_organisation_is_named(decided: History) -> None:
    with pytest.raises(RegistryError, match="not that of its transaction"):
        redo(decided, msp_id="DSOMSP")


def test_a_change_of_a_day_that_had_begun_is_named(decided: History) -> None:
    with pytest.raises(RegistryError, match="begun"):
        redo(decided, seconds=START + 11 * DAY)


async def claimed(code: str = CODE) -> History:
    """A device that is offered, and a code that is presented and settled."""
    ledger = Ledger()
    history = History.of(ledger.peer)
    await ledger.adopt()
    documents = json.dumps(Home("home-1", "P0").documents()).encode()
    await ledger.submit("Register", "", transient=transient(documents=documents))
    offer = transient(document=claim("home-1.new", "home-1.gcp"))
    await ledger.submit("membership:OfferClaim", transient=offer)
    tried = transient(code=code.encode(), possession=possession(key_of("meter")))
    await ledger.submit("membership:PresentClaim", CLAIM, transient=tried)
    await ledger.submit("membership:SettleClaim", CLAIM, transient=transient())
    return history


def settle(history: History, change: Callable[[Namespace], Namespace] = lambda one: one) -> int:
    claims, secret = Claims(), None
    for outcome, act, world in history.play():
        shown = private_values(outcome)
        for namespace in outcome.namespaces:
            if namespace.name != METERING:
                continue
            writes = dict(decisions.written(change(namespace)))
            if ("secret",) in writes:
                key = compositekey.create("secret", [writes["secret",]["transaction"]])
                secret = shown[hash_key(key)]
            registry = Registry(world, METERING, secret)
            claims.check(writes, registry, shown, act, "ped")
    return claims.settled


async def test_a_claim_that_holds_is_settled_anew() -> None:
    assert settle(await claimed()) == 1
    assert settle(await claimed("a wrong code")) == 1


async def test_a_device_that_comes_by_a_wrong_code_is_named() -> None:
    good, bad = await claimed(), await claimed("a wrong code")

    def settled(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "state": "used"} if one["tries"] and not one["attempt"] else one

    with pytest.raises(RegistryError, match="last try"):
        settle(bad, lambda one: altered(one, "claim", settled))

    def another(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "document": {**one["document"], "first_counter": 7}}

    with pytest.raises(RegistryError, match="another device"):
        settle(good, lambda one: altered(one, "device", another))


async def test_a_try_that_is_not_counted_is_named() -> None:
    history = await claimed()
    with pytest.raises(RegistryError, match="not counted"):
        settle(
            history,
            lambda one: altered(one, "claim", lambda doc: {**doc, "tries": 0}),
        )
