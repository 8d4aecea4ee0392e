# SPDX-License-Identifier: Apache-2.0
"""Certificates of origin end to end, on every runtime: issued from run F, moved by their owners'
keys alone, never claimed twice, and redone by the auditor."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError
from pedchain_gateway.ledger.port import LedgerError
from tests.scenarios.certified import DAYS, Certified, certified
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.hostile import Hostile
from tests.unit.chaincode.wallets import Wallet

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
A = "metering-DistrictA"
Accounts = dict[str, Wallet]


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, for these scenarios alone."""
    with make_network(request.param, tmp_path_factory.mktemp("origin")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def place(consortium: Network) -> AsyncIterator[Certified]:
    """The district; its accounts are opened after the first day was issued without any."""
    async with certified(consortium, issue=False) as made:
        yield made


@pytest.fixture(scope="module")
async def accounts(place: Certified) -> Accounts:
    found = {
        name: await place.wallet(name, site)
        for name, site in (("acc-1", "home-1"), ("acc-2", "home-2"), ("acc-3", "home-3"))
    }
    assert "2 days issued" in await asyncio.to_thread(place.command, "issue")
    return found


async def test_each_hour_is_issued_once(place: Certified, accounts: Accounts) -> None:
    found = await place.active("acc-1")
    assert [one["wh"] for one in found] == [731, 731]
    assert "0 days issued" in await asyncio.to_thread(place.command, "issue")
    await place.until_done("origin:IssueDay", DAYS[0], salt=secrets.token_bytes(16))
    assert await place.active("acc-1") == found
    public = await place.ask("origin:GetIssued", DAYS[0])
    assert (public["issued_wh"], public["sites"]) == (731 + 400, 2)


async def test_a_certificate_is_sliced_sold_cancelled_and_claimed(
    place: Certified, accounts: Accounts
) -> None:
    seller, buyer = accounts["acc-1"], accounts["acc-2"]
    whole = (await place.active("acc-1"))[0]
    await place.debit(seller.signed("slice", certificate=whole["id"], parts=[300, 431]))
    part = next(one for one in await place.active("acc-1") if one["wh"] == 300)
    await place.debit(seller.signed("transfer", certificate=part["id"], to="acc-2"))
    mine = (await place.active("acc-2"))[0]
    await place.debit(buyer.signed("cancel", certificate=mine["id"], **{"for": "acc-2"}))
    await place.debit(buyer.signed("claim", certificate=mine["id"]))
    page = await place.ask("origin:ListCertificates", "acc-2", "")
    assert [(one["state"], one["wh"]) for one in page["certificates"]] == [("claimed", 300)]


@pytest.mark.fault(44)
async def test_of_many_debits_at_once_for_one_certificate_exactly_one_counts(
    place: Certified, accounts: Accounts
) -> None:
    """Each is the account's next and rightly signed; all are sent together."""
    seller = accounts["acc-1"]
    whole = (await place.active("acc-1"))[-1]
    wanted = [("cancel", {"for": "acc-1"}), ("transfer", {"to": "acc-2"}), ("withdraw", {})] * 2
    number = seller.counter + 1
    calls = [
        place.once(seller.signed(action, counter=number, certificate=whole["id"], **body))
        for action, body in wanted
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    seller.counter = number
    assert sum(1 for each in results if not isinstance(each, BaseException)) == 1
    assert all(isinstance(each, LedgerError) for each in results if isinstance(each, BaseException))
    assert (await place.ask("origin:GetAccount", "acc-1"))["counter"] == number


async def test_no_two_claims_at_once_exceed_what_the_site_drew(
    place: Certified, accounts: Accounts
) -> None:
    maker, buyer = accounts["acc-3"], accounts["acc-2"]
    whole = next(one for one in await place.active("acc-3") if one["wh"] == 400)
    await place.debit(maker.signed("slice", certificate=whole["id"], parts=[6, 5, 389]))
    for wh in (6, 5):
        part = next(one for one in await place.active("acc-3") if one["wh"] == wh)
        await place.debit(maker.signed("cancel", certificate=part["id"], **{"for": "acc-2"}))
    page = await place.ask("origin:ListCertificates", "acc-2", "")
    waiting = [one["id"] for one in page["certificates"] if one["schema"] == "gc-pointer/1"]
    number = buyer.counter + 1  # 7 Wh of that hour's 307 are left
    calls = [place.once(buyer.signed("claim", counter=number, certificate=one)) for one in waiting]
    results = await asyncio.gather(*calls, return_exceptions=True)
    buyer.counter = number
    assert sum(1 for each in results if not isinstance(each, BaseException)) == 1
    last = next(one for one, each in zip(waiting, results, strict=True) if each is not None)
    with pytest.raises(LedgerError, match="beyond-consumption"):
        await place.once(buyer.signed("claim", counter=number + 1, certificate=last))


async def test_a_storage_gives_back_certificates_in_the_evening(
    place: Certified, accounts: Accounts
) -> None:
    owner = accounts["acc-3"]
    await place.debit(owner.signed("discharge", day=DAYS[0]))
    found = [one for one in await place.active("acc-3") if one["source"] == "storage"]
    assert [one["wh"] for one in found] == [200]


async def test_another_districts_members_see_no_certificate(
    place: Certified, accounts: Accounts
) -> None:
    async with await profile.connect(place.network.profile("DistrictB")) as gateway:
        contract = gateway.network("ped").contract(A)
        for call in (("origin:ListCertificates", "acc-1", ""), ("origin:GetAccount", "acc-1")):
            with pytest.raises(GatewayError):
                await contract.evaluate(*call)


async def test_the_dso_and_another_district_cannot_move_a_certificate(
    place: Certified, accounts: Accounts
) -> None:
    seller = accounts["acc-1"]
    held = (await place.active("acc-1"))[0]
    signed = seller.signed("withdraw", counter=seller.counter + 1, certificate=held["id"])
    async with Hostile(place.network) as hostile:
        transient = {"debit": signed, "salt": secrets.token_bytes(16)}
        attack = await hostile.endorse(A, "origin:Debit", by=["DSO"], transient=transient)
        hostile.forge(attack, "DistrictB")
        assert await hostile.send(attack) == "ENDORSEMENT_POLICY_FAILURE"
    assert held in await place.active("acc-1")


async def test_the_auditor_redoes_issues_and_debits(
    place: Certified, accounts: Accounts, tmp_path: Path
) -> None:
    figures = verify(await collect(place.network.profile("DSO"), tmp_path / "ledger"))
    assert figures.origin_certificates == 4
    assert figures.debits == sum(each.counter for each in accounts.values())
    assert figures.not_checked == []
