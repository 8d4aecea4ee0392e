# SPDX-License-Identifier: Apache-2.0
"""Accounts, money and token balances: who may spend, what never commits twice (rules K1, K12)."""

from typing import Any

import pytest

from pedchain_domain import canonical, debit, der
from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from pedchain_fabric.shim.testing import CommitRefused, creator
from tests.unit.chaincode.exchange import GATEWAYS, MONEY, SETTLEMENT, Exchange, Prosumer, receipt
from tests.unit.chaincode.minting import MintingContract
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.wallets import private_key, signature

BATCH = "SafeBatchTransferFrom"
ENERGY = to_hex(Product(Carrier.ELECTRICITY, 1, 500_000 * HOUR, producer=1).token)


@pytest.fixture
async def exchange() -> Exchange:
    found = Exchange()
    await found.begin()
    return found


@pytest.fixture
async def alice(exchange: Exchange) -> Prosumer:
    found = Prosumer("alice", 1)
    await exchange.register(found)
    return found


@pytest.fixture
async def bob(exchange: Exchange) -> Prosumer:
    found = Prosumer("bob", 2)
    await exchange.register(found, 500_000)
    return found


async def test_a_prosumer_is_registered_with_what_was_paid_in(
    exchange: Exchange, alice: Prosumer
) -> None:
    assert await exchange.balance(alice) == 1_000_000
    assert await exchange.supply() == 1_000_000
    about = await exchange.ask("tokens:GetAccount", "alice")
    assert (about["counter"], about["locked"], about["limit"]) == (1, 0, 10_000_000)


async def test_money_is_minted_once_per_receipt(exchange: Exchange, alice: Prosumer) -> None:
    paid = receipt("alice", 5_000, 77)
    await exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=paid))
    await refused(
        exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=paid)),
        "already-registered",
    )
    assert await exchange.waiting(alice) == {MONEY: 5_000}
    assert await exchange.supply() == 1_005_000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": -5}, "malformed-document"),
        ({"operator": "mint"}, "wrong-domain"),
        ({"network": "other"}, "wrong-domain"),
        ({"account": "nobody"}, "unknown-account"),
    ],
)
async def test_a_receipt_must_be_good(
    exchange: Exchange, alice: Prosumer, changes: dict[str, Any], reason: str
) -> None:
    paid = receipt(**({"account": "alice", "amount": 5, "number": 9} | changes))
    await refused(exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=paid)), reason)


async def test_nobody_but_the_clearing_operator_makes_money(
    exchange: Exchange, alice: Prosumer
) -> None:
    forged = receipt("alice", 5, 9).replace(b'"amount": 5', b'"amount": 6')
    await refused(
        exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=forged)),
        "bad-signature",
    )


async def test_an_account_is_registered_once_under_its_name_and_number(
    exchange: Exchange, alice: Prosumer
) -> None:
    for other in (Prosumer("alice", 9), Prosumer("carol", 1)):
        await refused(exchange.register(other), "already-registered")


async def test_an_account_must_ask_with_its_own_key(exchange: Exchange) -> None:
    other = Prosumer("carol", 3)
    stolen = other.request().replace(b"owner-carol", b"owner-mallory")
    transient = exchange.fresh(account=stolen, receipt=receipt("carol", 5, 5))
    await refused(exchange.submit("tokens:RegisterProsumer", transient=transient), "bad-signature")


async def test_only_the_system_operator_registers_and_only_services_carry(
    exchange: Exchange, alice: Prosumer
) -> None:
    new = Prosumer("carol", 3)
    transient = exchange.fresh(account=new.request(), receipt=receipt("carol", 5, 5))
    for who in (GATEWAYS["DistrictAMSP"], creator("DSOMSP", attributes={"ped.role": "auditor"})):
        await refused(
            exchange.submit("tokens:RegisterProsumer", transient=transient, creator=who),
            "not-permitted",
        )


async def minted(exchange: Exchange, owner: Prosumer, amount: int = 900) -> None:
    """Give energy tokens as settlement does: a credit, written by another transaction."""
    exchange.receipts += 1
    await exchange.submit(
        "minting:Mint", owner.name, ENERGY, str(amount), transient=exchange.fresh()
    )
    await exchange.fold(owner)


class Minting(Exchange):
    """With a contract of the tests that mints energy."""

    def contracts(self) -> list[Any]:
        return [*super().contracts(), MintingContract()]


@pytest.fixture
async def energy() -> tuple[Minting, Prosumer, Prosumer]:
    """Alice holds 900 of an energy token."""
    found = Minting()
    await found.begin()
    alice, bob = Prosumer("alice", 1), Prosumer("bob", 2)
    for one in (alice, bob):
        await found.register(one)
    await minted(found, alice)
    return found, alice, bob


Energy = tuple[Minting, Prosumer, Prosumer]


def move(quantity: Any, **changes: Any) -> dict[str, Any]:
    body = {"from": "alice", "to": "bob", "tokens": [ENERGY], "quantities": [quantity]}
    return body | changes


async def test_a_transfer_moves_tokens_and_the_receiver_folds_them(energy: Energy) -> None:
    exchange, alice, bob = energy
    await exchange.spend(alice, "tokens", "SafeTransferFrom", "safe-transfer-from", **move(400))
    assert await exchange.balance(alice, ENERGY) == 500
    assert await exchange.balance(bob, ENERGY) == 0
    assert await exchange.waiting(bob) == {ENERGY: 400}
    await exchange.fold(bob)
    assert await exchange.balance(bob, ENERGY) == 400
    assert await exchange.supply(ENERGY) == 900
    events = [name for _, name, _ in exchange.peer.events]
    assert events == ["TransferSingle"]


async def test_balances_are_read_in_batches(energy: Energy) -> None:
    exchange, _, _ = energy
    pairs = [{"account": "alice", "token": ENERGY}, {"account": "bob", "token": MONEY}]
    assert await exchange.ask("tokens:BalanceOfBatch", canonical.encode(pairs)) == [900, 1_000_000]
    held = await exchange.ask("tokens:ListHoldings", "alice", "")
    assert sorted(row["amount"] for row in held.values()) == [900, 1_000_000]
    assert await exchange.ask("tokens:NameOf", MONEY) == "money"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (move(901), "insufficient-funds"),
        (move(0), "bad-quantity"),
        (move(-1), "bad-quantity"),
        (move(True), "bad-quantity"),
        (move(2**70), "bad-quantity"),
        (move(1, tokens=[MONEY]), "not-transferable"),
        (move(1, tokens=["ab"]), "unknown-token"),
        (move(1, tokens=[]), "lengths-differ"),
        (move(1, tokens=[ENERGY] * 2, quantities=[1, 1]), "duplicate-token"),
        (move(1, tokens=[ENERGY] * 49, quantities=[1] * 49), "too-many"),
        (move(1, to="alice"), "malformed-document"),
        (move(1, to="nobody"), "unknown-account"),
        (move(1, **{"from": "bob"}), "not-owner"),
        (move(1, more=1), "malformed-document"),
    ],
)
async def test_a_bad_transfer_changes_nothing(
    energy: Energy, body: dict[str, Any], reason: str
) -> None:
    exchange, alice, _ = energy
    before = exchange.peer.private(SETTLEMENT, "book")
    await refused(
        exchange.spend(
            alice, "tokens", "SafeBatchTransferFrom", "safe-batch-transfer-from", **body
        ),
        reason,
    )
    assert exchange.peer.private(SETTLEMENT, "book") == before


async def test_a_gateway_cannot_spend_for_a_member(energy: Energy) -> None:
    """Neither with its own key, nor by another's debit, nor by an old one."""
    exchange, alice, bob = energy
    name, action = "tokens:SafeTransferFrom", "safe-transfer-from"
    domain = debit.Domain("pedchain", "ped", "settlement:tokens")
    unsigned = debit.Debit(domain, "alice", alice.counter + 1, action, move(1))
    forged = debit.sign(unsigned, bob.key).encode()
    await refused(exchange.carry(alice, name, forged), "bad-signature")
    elsewhere = alice.signed("market", action, move(1))
    await refused(exchange.carry(alice, name, elsewhere), "wrong-domain")
    good = alice.signed("tokens", action, move(1))
    await refused(exchange.carry(alice, "tokens:Fold", good), "unknown-action")
    await exchange.carry(alice, name, good)
    await refused(exchange.carry(alice, name, good), "wrong-counter")


async def test_an_approved_operator_moves_energy_until_it_is_withdrawn(energy: Energy) -> None:
    exchange, alice, bob = energy
    approve = ("tokens", "SetApprovalForAll", "set-approval-for-all")
    take = ("tokens", "SafeTransferFrom", "safe-transfer-from")
    await refused(exchange.spend(bob, *take, **move(10)), "not-owner")
    await exchange.spend(alice, *approve, operator="bob", approved=True)
    assert await exchange.ask("tokens:IsApprovedForAll", "alice", "bob") is True
    await exchange.spend(bob, *take, **move(10))
    held = await exchange.peer.endorse(
        SETTLEMENT,
        "tokens:SafeTransferFrom",
        transient=exchange.fresh(debit=bob.signed("tokens", take[2], move(10))),
    )
    await exchange.spend(alice, *approve, operator="bob", approved=False)
    with pytest.raises(CommitRefused):
        exchange.peer.commit(held)
    await refused(exchange.spend(bob, *take, **move(10)), "not-owner")
    assert await exchange.balance(alice, ENERGY) == 890


async def test_two_parallel_spends_of_one_balance_never_both_commit(energy: Energy) -> None:
    exchange, alice, bob = energy
    await exchange.spend(
        alice, "tokens", "SetApprovalForAll", "set-approval-for-all", operator="bob", approved=True
    )
    action = "safe-transfer-from"
    spends = [
        await exchange.peer.endorse(
            SETTLEMENT,
            "tokens:SafeTransferFrom",
            transient=exchange.fresh(debit=who.signed("tokens", action, move(900))),
        )
        for who in (alice, bob)
    ]
    exchange.peer.commit(spends[0])
    with pytest.raises(CommitRefused):
        exchange.peer.commit(spends[1])
    assert await exchange.supply(ENERGY) == 900


async def test_a_flood_of_credits_holds_up_no_debit(energy: Energy) -> None:
    """The debit is endorsed, then credits arrive and are committed, then the debit commits."""
    exchange, alice, _ = energy
    spend = await exchange.peer.endorse(
        SETTLEMENT,
        "tokens:SafeTransferFrom",
        transient=exchange.fresh(debit=alice.signed("tokens", "safe-transfer-from", move(1))),
    )
    for number in range(100, 110):
        paid = receipt("alice", 1, number)
        await exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=paid))
    exchange.peer.commit(spend)
    alice.counter += 1
    held = await exchange.ask("tokens:ListCredits", "alice", "")
    fold = await exchange.peer.endorse(
        SETTLEMENT,
        "tokens:Fold",
        transient=exchange.fresh(debit=alice.signed("tokens", "fold", {"credits": sorted(held)})),
    )
    paid = receipt("alice", 1, 111)
    await exchange.submit("tokens:Deposit", transient=exchange.fresh(receipt=paid))
    exchange.peer.commit(fold)
    alice.counter += 1
    assert await exchange.balance(alice) == 1_000_010
    assert await exchange.waiting(alice) == {MONEY: 1}


async def test_only_the_owner_folds_and_each_credit_once(energy: Energy) -> None:
    exchange, alice, bob = energy
    await exchange.submit(
        "tokens:Deposit", transient=exchange.fresh(receipt=receipt("alice", 7, 50))
    )
    waiting = sorted(await exchange.ask("tokens:ListCredits", "alice", ""))
    fold = ("tokens", "Fold", "fold")
    await refused(exchange.spend(bob, *fold, credits=waiting), "not-found")
    await refused(exchange.spend(alice, *fold, credits=waiting * 2), "malformed-document")
    await refused(exchange.spend(alice, *fold, credits=[]), "malformed-document")
    await exchange.spend(alice, *fold, credits=waiting)
    await refused(exchange.spend(alice, *fold, credits=waiting), "not-found")
    assert await exchange.balance(alice) == 1_000_007


async def test_money_is_redeemed_at_par_and_burnt(exchange: Exchange, alice: Prosumer) -> None:
    await refused(
        exchange.spend(alice, "tokens", "Redeem", "redeem", amount=1_000_001), "insufficient-funds"
    )
    await exchange.spend(alice, "tokens", "Redeem", "redeem", amount=400_000)
    assert await exchange.balance(alice) == await exchange.supply() == 600_000


async def test_an_owner_sets_its_own_limit(exchange: Exchange, alice: Prosumer) -> None:
    await exchange.spend(alice, "tokens", "SetLimit", "set-limit", limit=5)
    assert (await exchange.ask("tokens:GetAccount", "alice"))["limit"] == 5
    await refused(
        exchange.spend(alice, "tokens", "SetLimit", "set-limit", limit=-5), "bad-quantity"
    )


async def test_nothing_public_names_an_account_a_token_or_an_amount(energy: Energy) -> None:
    exchange, alice, _ = energy
    await exchange.spend(alice, "tokens", "SafeTransferFrom", "safe-transfer-from", **move(432))
    public = repr(exchange.peer.state(SETTLEMENT)) + repr(exchange.peer.events)
    keys = repr(list(exchange.peer.private(SETTLEMENT, "book")))
    for secret in ("alice", "bob", "owner-", ENERGY, MONEY):
        assert secret not in public
        assert secret not in keys


async def test_settlement_begins_once(exchange: Exchange) -> None:
    await refused(exchange.begin(), "already-registered")
    fresh = Exchange()
    await refused(fresh.ask("tokens:BalanceOf", "alice", MONEY), "not-begun")


async def test_the_clock_is_what_the_organisations_say_together(exchange: Exchange) -> None:
    assert (await exchange.ask("clock:GetClock"))["clock"] == 0
    await exchange.tick(1_000, 1_001, 1_002, 9_999)
    assert (await exchange.ask("clock:GetClock"))["clock"] == 1_001
    await refused(
        exchange.submit("clock:Tick", "999", creator=GATEWAYS["AggregatorMSP"]), "clock-backwards"
    )
    await refused(
        exchange.submit("clock:Tick", "5", creator=creator("StrangerMSP")), "not-permitted"
    )


async def test_a_credit_in_flight_survives_its_receivers_debits(
    exchange: Exchange, alice: Prosumer
) -> None:
    """What a credit reads of an account never changes: no owner is in its own payers' way."""
    paid = exchange.fresh(receipt=receipt("alice", 5_000, 77))
    held = await exchange.peer.endorse(SETTLEMENT, "tokens:Deposit", transient=paid)
    await exchange.spend(alice, "tokens", "SetLimit", "set-limit", limit=5)
    exchange.peer.commit(held)
    assert await exchange.waiting(alice) == {MONEY: 5_000}


def rotation(who: Prosumer, seed: str, signer: str | None = None) -> dict[str, Any]:
    """The body of a debit that puts another key in place; `signer` signs for its possession."""
    key = private_key(seed)
    public = {"alg": "ES256", "spki": der.spki_hex(key.public_key())}
    named = {"network": "pedchain", "channel": "ped", "contract": "settlement:tokens"}
    body = {"account": who.name, "counter": who.counter + 1, "key": public}
    message = canonical.encode({"domain": named, "body": body})
    possession = signature(private_key(signer or seed), message).hex()
    return {"key": public, "possession": possession}


async def test_an_account_changes_its_key_by_both_keys(exchange: Exchange, alice: Prosumer) -> None:
    rotate = ("tokens", "Rotate", "rotate")
    wrong = rotation(alice, "alice-2", signer="mallory")
    await refused(exchange.spend(alice, *rotate, **wrong), "bad-signature")
    await refused(exchange.spend(alice, *rotate, key="x", possession=""), "malformed-document")
    held = await exchange.peer.endorse(
        SETTLEMENT,
        "tokens:SetLimit",
        transient=exchange.fresh(debit=alice.signed("tokens", "set-limit", {"limit": 1})),
    )
    await exchange.spend(alice, *rotate, **rotation(alice, "alice-2"))
    with pytest.raises(CommitRefused):
        exchange.peer.commit(held)
    await refused(exchange.spend(alice, "tokens", "SetLimit", "set-limit", limit=5), "bad-signat")
    alice.key = private_key("alice-2")
    await exchange.spend(alice, "tokens", "SetLimit", "set-limit", limit=5)
