# SPDX-License-Identifier: Apache-2.0
"""The table of who may do what: each row is what the contracts do, and no method is without one."""

import asyncio
from typing import Any

import pytest

from pedchain_chaincode import access, cli
from pedchain_chaincode.access import PARTIES, ROLES, TABLE, Row
from pedchain_domain import canonical
from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed, creator
from tests.unit.chaincode.district import METERING, Ledger, day_name
from tests.unit.chaincode.exchange import SETTLEMENT
from tests.unit.chaincode.settling import Settling

CONTRACTS = [(name, contract) for name in cli.PACKAGES for contract in cli.contracts(name)]
METHODS = {
    transaction.method: (name, contract.name, transaction)
    for name, contract in CONTRACTS
    for transaction in contract.transactions.values()
    if transaction.tag == "submit"
}
CLIENTS = [
    (msp_id, role, ous)
    for msp_id in ("DSOMSP", "DistrictAMSP", "DistrictBMSP", "AggregatorMSP")
    for role in (*ROLES, "", "king", "auditor,gateway", "registrar,gateway")
    for ous in (("client",), ("admin",), ("peer",), ("orderer",))
]
DISTRICTS = ("DistrictAMSP", "DistrictBMSP")
PARTY = {
    "registry": {"dso": ("DSOMSP",), "districts": ("DistrictAMSP",)},
    "metering": {
        "dso": ("DSOMSP",),
        "operator": ("DistrictAMSP",),
        "others": ("DSOMSP", "AggregatorMSP", "DistrictBMSP"),
        "flex": ("DSOMSP", "AggregatorMSP", *DISTRICTS),
    },
    "settlement": {
        "dso": ("DSOMSP",),
        "districts": DISTRICTS,
        "any": ("DSOMSP", "AggregatorMSP", *DISTRICTS),
        "across": ("DSOMSP", "AggregatorMSP"),
    },
}


Peers = dict[str, MemoryPeer]
DEFINITIONS = {"registry": "registry", "metering": METERING, "settlement": SETTLEMENT}


@pytest.fixture(scope="module")
def peers() -> Peers:
    """A district with a proposal that waits, so that every method gets as far as the table, and a
    settlement that has begun."""

    async def made() -> Peers:
        ledger = Ledger()
        await ledger.adopt()
        proposed = {**ledger.district, "rule": "R2", "from": day_name(50)}
        await ledger.peer.submit("registry", "PutDistrict", canonical.encode(proposed))
        settling = Settling()
        await settling.begin()
        return {
            "registry": ledger.peer,
            "metering": ledger.peer,
            "settlement": settling.peer,
        }

    return asyncio.run(made())


def test_every_submit_method_has_its_row_and_every_row_its_method() -> None:
    assert sorted(METHODS) == sorted(TABLE)


def test_rows_name_parties_and_roles_there_are() -> None:
    for row in TABLE.values():
        assert set(row.parties) <= set(PARTIES)
        assert set(row.roles) <= set(ROLES)
    assert [name for name, row in TABLE.items() if access.AUDITOR in row.roles] == ["record_sample"]


def arguments(transaction: Any) -> list[str]:
    """Something for each parameter that its type can be read from."""
    known = {"district_id": "DistrictA", "version": "f9", "calendar_id": "c9", "claim_id": "c9"}
    plain = {str: "x", int: "1", bytes: "{}"}
    return [known.get(name, plain.get(kind, "1")) for name, kind in transaction.parameters]


async def answer(peers: Peers, method: str, client: tuple[str, str, tuple[str, ...]]) -> str:
    """The reason a call with nothing sensible in it is refused for."""
    package, contract, transaction = METHODS[method]
    msp_id, role, ous = client
    attributes = {"ped.role": role} if role else None  # `""`: no attribute at all
    name = f"{msp_id}.{role}.{ous[0]}"
    try:
        await peers[package].endorse(
            DEFINITIONS[package],
            f"{contract}:{transaction.name}",
            *arguments(transaction),
            creator=creator(msp_id, name, ous, attributes),
        )
    except TransactionFailed as error:
        return error.message.split(":")[0]
    return "done"


def permitted(row: Row, client: tuple[str, str, tuple[str, ...]], package: str) -> bool:
    msp_id, role, ous = client
    organization = any(msp_id in PARTY[package][party] for party in row.parties)
    return (
        organization
        and not set(role.split(",")).isdisjoint(row.roles)
        and ous[0] in ("client", "admin")
    )


@pytest.mark.parametrize("action", sorted(TABLE))
async def test_a_row_is_what_every_endorser_holds_clients_to(action: str, peers: Peers) -> None:
    for client in CLIENTS:
        refused = await answer(peers, action, client) == "not-permitted"
        assert refused != permitted(TABLE[action], client, METHODS[action][0]), (action, client)
