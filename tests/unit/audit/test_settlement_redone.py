# SPDX-License-Identifier: Apache-2.0
"""Step 9 on what a peer in memory committed: it passes as it is, and nothing of it can be changed
without being found."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pedchain_audit.errors import VerificationError
from pedchain_audit.replay import VALID, Judged
from pedchain_audit.settlement import Settlement
from pedchain_audit.world import World
from pedchain_chaincode.settlement import limits
from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim.testing import Outcome
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Version, sha256
from tests.unit.chaincode.certified import Certified
from tests.unit.chaincode.exchange import Exchange
from tests.unit.chaincode.marketplace import NOON, POWER
from tests.unit.chaincode.settling import ENDS, Energies
from tests.unit.chaincode.test_sharing import Sharing, terms

Change = Callable[[dict[str, Any]], dict[str, Any] | None]
ENERGIES: Energies = {"bea": (0, 800), "ben": (0, 300), "sam": (900, 0), "sue": (100, 0)}


async def history() -> list[Outcome]:
    """A session traded and settled, its hour shared and corrected, tokens passed on, money paid."""
    street = Sharing()
    outcomes = noting(street)
    await street.prepare()
    await street.found(terms())
    await street.placed(
        ("sam", "OFFER", 600, 120), ("sue", "OFFER", 200, 110), ("bea", "BID", 500, 140),
        ("ben", "BID", 400, 125),
    )  # fmt: skip
    for one in street.people.values():
        await street.join(one, terms())
    await street.passed()
    await street.settle(ENERGIES)
    await street.share()
    final = await street.certify({**ENERGIES, "sam": (850, 0)}, "FINAL")
    await street.attach(final.proofs("sam.gcp", NOON))
    await street.submit("sharing:CorrectHour", "street", str(NOON))
    await street.leave("sue")
    await street.attach((await _more(street)).proofs("sue.gcp", NOON))
    await street.submit("sharing:CorrectHour", "street", str(NOON))
    bea, promise = street.people["bea"], to_hex(POWER.minted_by(3).token)
    body = {"from": "bea", "to": "ben", "tokens": [promise], "quantities": [50]}
    await street.spend(bea, "tokens", "SafeTransferFrom", "safe-transfer-from", **body)
    await street.fold(street.people["ben"])
    await street.spend(bea, "tokens", "Redeem", "redeem", amount=1_000)
    await street.spend(bea, "sharing", "LeaveCommunity", "leave-community", community="street")
    await street.clock(ENDS + limits.RETENTION)
    await street.submit("sharing:PurgeHour", "street", str(NOON))
    await street.submit("market:PurgeSession", to_hex(POWER.token))
    return outcomes


async def _more(street: Sharing) -> Certified:
    """Run FINAL finds that Sue, whose certificates left, fed in four times as much."""
    return await street.certify({**ENERGIES, "sam": (850, 0), "sue": (400, 0)}, "FINAL")


def noting(street: Exchange) -> list[Outcome]:
    """Whatever is committed from now on."""
    outcomes: list[Outcome] = []
    commit = street.peer.commit

    def noted(outcome: Outcome) -> int:
        outcomes.append(outcome)
        return commit(outcome)

    street.peer.commit = noted  # type: ignore[method-assign]  # the one place all writes pass
    return outcomes


def redo(
    outcomes: list[Outcome],
    change: Change | None = None,
    wants: Callable[..., bool] | None = None,
    closed: Sequence[Any] = (),
) -> Settlement:
    """The audit's own pass; the first private document that `wants` picks is changed, with the
    hashes of its block."""
    world, left = World(), [change] if change else []
    found = Settlement("ped", lambda *_: [*closed])
    for number, outcome in enumerate(outcomes):
        public, private = outcome.namespaces, outcome.private_namespaces
        if left and wants is not None:
            public, private, done = forged(public, private, left[0], wants)
            if done:
                left.clear()
        judged = Judged(0, VALID, None, public)
        found.transaction(number, judged, world, rwset.encode_private(private))
        world.apply(public, Version(number, 0))
    assert not left
    return found


def forged(public: Any, private: Any, change: Change, wants: Callable[..., bool]) -> Any:
    """Both write sets with one document changed, as if the endorsers had done so."""
    for namespace in private:
        for collection in namespace.collections:
            for write in collection.writes:
                kind = write.key.split("\x00")[1]
                document = _document(write.value)
                if document is None or not wants(kind, document):
                    continue
                text = json.dumps(change(document), sort_keys=True, separators=(",", ":"))
                value = write.value[:16] + text.encode()
                return (*_rebuilt(public, private, write, value), True)
    return public, private, False


def _rebuilt(public: Any, private: Any, write: Any, value: bytes) -> Any:
    made = tuple(
        replace(
            space,
            collections=tuple(
                replace(
                    part,
                    writes=tuple(
                        replace(one, value=value) if one == write else one for one in part.writes
                    ),
                )
                for part in space.collections
            ),
        )
        for space in private
    )
    again = rwset.encode(public).replace(sha256(write.value), sha256(value))
    return rwset.decode(again), made


def _document(value: bytes) -> dict[str, Any] | None:
    found = value[16:]
    if not found.startswith(b"{") or b'"signature"' in found:
        return None
    document: dict[str, Any] = json.loads(found)
    return document


@pytest.fixture(scope="module")
async def done() -> list[Outcome]:
    return await history()


def test_what_was_done_is_redone(done: list[Outcome]) -> None:
    found = redo(done)
    assert (found.sessions, found.shared_hours, found.blind) == (1, 3, False)
    assert found.debits == 4 * 4 + 2 + 1 + 1


def more(name: str) -> Change:
    return lambda one: {**one, name: one[name] + 1}


def first_row(name: str) -> Change:
    """One Wh or µcur more in the first number of the first row."""

    def change(one: dict[str, Any]) -> dict[str, Any]:
        rows = [list(row) for row in one[name]]
        rows[0][2] += 1
        return {**one, name: rows}

    return change


def gains(one: dict[str, Any]) -> dict[str, Any]:
    rows = {who: {**row, "money": row["money"] + 1} for who, row in one["rows"].items()}
    return {**one, "rows": rows}


def fills(one: dict[str, Any]) -> dict[str, Any]:
    rows = {
        who: {
            **row,
            "orders": {order: [wh + 1, kept] for order, (wh, kept) in row["orders"].items()},
        }
        for who, row in one["rows"].items()
    }
    return {**one, "rows": rows}


def members(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "members": {who: [row[0] + 1, *row[1:]] for who, row in one["members"].items()}}


CHANGES: dict[str, tuple[Change, Callable[[str, dict[str, Any]], bool], str]] = {
    "a balance": (more("amount"), lambda kind, _: kind == "row", "balances"),
    "a credit": (more("amount"), lambda kind, _: kind == "credit", "balances"),
    "a deposit": (more("deposit"), lambda kind, _: kind in ("ask", "bid"), "locked"),
    "a trade": (first_row("trades"), lambda kind, one: "trades" in one, "trades"),
    "a fill": (fills, lambda _, one: _has(one, "orders"), "fills"),
    "what is due": (gains, lambda _, one: _has(one, "money"), "due"),
    "a shared hour": (members, lambda _, one: one.get("schema") == "shared/1", "shared hour"),
    "a correction": (members, lambda _, one: one.get("schema") == "correction/1", "shared hour"),
    "a membership's begin": (
        lambda one: {**one, "since": one["since"] - 3_600},
        lambda kind, _: kind == "member",
        "had begun",
    ),
    "a membership's end": (
        lambda one: {**one, "to": one["to"] - 3_600},
        lambda kind, one: kind == "member" and one["to"] is not None,
        "had begun",
    ),
    "a receipt": (
        lambda one: {"receipt": {**one["receipt"], "amount": 1}},
        lambda _, one: "receipt" in one,
        "receipt",
    ),
}


def _has(one: dict[str, Any], name: str) -> bool:
    rows = one.get("rows") or {}
    return any(isinstance(row, dict) and name in row for row in rows.values())


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_changed_document_is_found(done: list[Outcome], what: str) -> None:
    change, wants, text = CHANGES[what]
    with pytest.raises(VerificationError, match=text):
        redo(done, change, wants)


def test_a_key_that_takes_an_accounts_place_is_found(done: list[Outcome]) -> None:
    def swapped(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "owner": "somebody"}

    with pytest.raises(VerificationError, match="changes more of its account"):
        redo(done, swapped, lambda _, one: one.get("counter") == 1)


def test_a_balance_that_shrinks_unsigned_is_found(done: list[Outcome]) -> None:
    """The tick after it takes it along: no debit stands in that transaction."""
    rows = [n for n, each in enumerate(done) if b"row" in each.private_results]
    spent = done[rows[-1]]
    plain = replace_without_debit(spent)
    with pytest.raises(VerificationError, match="without its"):
        redo([*done[: rows[-1]], plain])


def replace_without_debit(outcome: Outcome) -> Outcome:
    private = tuple(
        replace(
            space,
            collections=tuple(
                replace(
                    part,
                    writes=tuple(w for w in part.writes if w.key.split("\x00")[1] != "debit"),
                )
                for part in space.collections
            ),
        )
        for space in outcome.private_namespaces
    )
    gone = {
        rwset.hash_key(write.key)
        for space in outcome.private_namespaces
        for part in space.collections
        for write in part.writes
        if write.key.split("\x00")[1] == "debit"
    }
    public = tuple(
        replace(
            space,
            collections=tuple(
                replace(part, writes=tuple(w for w in part.writes if w.key_hash not in gone))
                for part in space.collections
            ),
        )
        for space in outcome.namespaces
    )
    return replace(
        outcome, results=rwset.encode(public), private_results=rwset.encode_private(private)
    )


def test_hours_that_the_audit_closed_otherwise_are_found(done: list[Outcome]) -> None:
    with pytest.raises(VerificationError, match="not what the readings make"):
        redo(done, closed=[([1, 2, 3, 4], True)])


def test_a_session_cleared_before_its_gate_is_found(done: list[Outcome]) -> None:
    """Without the organisations' later ticks nothing is due."""
    early = [each for each in done if b"\x00tick\x00" not in each.results]
    with pytest.raises(VerificationError):
        redo(early)


def test_what_is_not_held_is_said(done: list[Outcome]) -> None:
    world, found = World(), Settlement("ped", lambda *_: [])
    for number, outcome in enumerate(done[:20]):
        found.transaction(number, Judged(0, VALID, None, outcome.namespaces), world, None)
        world.apply(outcome.namespaces, Version(number, 0))
    assert found.not_checked() != []
