# SPDX-License-Identifier: Apache-2.0
"""Step 9: tokens, sessions and shared hours of the definition `settlement`, redone.

What a transaction writes decides what is checked. Whatever leaves an account is signed by its key,
with its next counter. Money is made by receipts alone, and energy comes to who bought it: balances,
credits and deposits change by that and nothing else in every transaction. Sessions move when the
organisations' ticks say so, and are cleared and settled anew; shared hours are divided anew; both
from orders and from hours that the audit's own closing measured too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pedchain_audit import auction, following, once, orderlocks, shares
from pedchain_audit.auction import Measured, SettlementError, equal
from pedchain_audit.errors import Broken, VerificationError
from pedchain_audit.operatorsbook import Book, Change, Document, Written, book_writes
from pedchain_audit.registry import decode
from pedchain_audit.replay import Judged
from pedchain_audit.world import World
from pedchain_domain import debit
from pedchain_domain.market import ledgerclock
from pedchain_domain.market.session import product_of
from pedchain_domain.market.tokenid import MONEY, to_hex
from pedchain_domain.reasons import DomainError
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace

NAMESPACE = "settlement"
#: What a debit may change of its account.
_SPENT = ("counter", "salt", "orders", "locked", "limit")
Due = dict[str, dict[str, Document]]


@dataclass(slots=True)
class Settlement:
    """What was redone so far; `blind` once private data was not to be had."""

    channel: str
    measures: Callable[[World, str, str, str, int], list[tuple[list[int], bool]]]
    book: Book = field(default_factory=Book)
    due: Due = field(default_factory=dict)
    deposits: Counter[str] = field(default_factory=Counter)
    taken: set[tuple[str, str]] = field(default_factory=set)
    sold: dict[once.Place, int] = field(default_factory=dict)
    shared: dict[once.Place, int] = field(default_factory=dict)
    blind: bool = False
    debits: int = 0
    sessions: int = 0
    shared_hours: int = 0
    compared_hours: int = 0

    def transaction(self, number: int, judged: Judged, world: World, private: bytes | None) -> None:
        """One valid transaction, before its writes are applied; `private` as delivered."""
        for namespace in judged.namespaces:
            if namespace.name != NAMESPACE or not namespace.is_written or self.blind:
                continue
            try:
                self._namespace(namespace, world, private)
            except (Broken, DomainError, KeyError) as error:
                check = error.check if isinstance(error, Broken) else SettlementError.check
                raise VerificationError(
                    check, str(error), block=number, transaction=judged.position
                ) from error

    def _namespace(self, namespace: Namespace, world: World, private: bytes | None) -> None:
        writes = book_writes(namespace, private)
        if writes is None:
            self.blind = True
            return
        self._redo(namespace, self.book.read(writes), world)

    def not_checked(self) -> list[str]:
        """What the archive does not hold, in words."""
        if not self.blind:
            return []
        return ["settlement: private data is not all here (no member of the collection)"]

    def _redo(self, namespace: Namespace, written: Written, world: World) -> None:
        clock = self.clock(world)
        spent = self._spent(written, world)
        measured = partial(self.measures, world)
        for change in written.hidden:
            schema = (change.after or {}).get("schema")
            if schema == "account/1" and change.before is None:
                _registered(change)
            elif schema in ("shared/1", "correction/1") and change.after is not None:
                ground = shares.Ground(self.book, self.due, measured, partial(_left, world))
                found = shares.redo(ground, change.after)
                self.shared_hours += 1
                self._shared(change.after)
                self.compared_hours += found
        for change in written.marked:
            if change.kind == "member":
                shares.joined(change, clock)
        gains = self._gains(spent, world)
        redone = self._sessions(namespace, world, clock, measured)
        rent = self._rent(written, redone)
        if rent:
            gains[to_hex(MONEY)] += rent
        gains[to_hex(MONEY)] -= orderlocks.change(namespace.writes, written.hidden, world)
        self._balance(written, gains)
        following.signed_lines(written.marked, spent)
        self._paid_out(written, spent)
        self.book.make(written)
        for _, after, made in redone:
            self._compare(after, made)
        self._locked(written)

    def follows(
        self,
        world: World,
        district: str,
        registers: Sequence[tuple[str, str]],
        way: str,
        hour: int,
    ) -> dict[str, int]:
        """What went, or came, together with its origin (`following`)."""
        if self.blind:
            return {}
        return following.given(self.book, self.due, world, district, registers, way, hour)

    def given(self) -> Counter[once.Place]:
        """Wh of electricity sold and shared, by district, point and hour."""
        return Counter(self.sold) + Counter(self.shared)

    def _shared(self, found: Document) -> None:
        terms = (self.book.named("community", found["community"]) or {})["terms"]
        for name, row in found["members"].items():
            place = self._feeds(name, terms["carrier"], found["hour"])
            if place is not None:
                self.shared[place] = row[1]

    def _feeds(self, name: str, carrier: str, hour: int) -> once.Place | None:
        """Where an account feeds in; heat has no certificates of origin."""
        account = self._account(name)
        register = account["places"].get(carrier, {}).get("feeds")
        if carrier != "electricity" or register is None:
            return None
        return account["district"], register["point"], hour

    # -- who spends ---------------------------------------------------------------------------

    def _spent(self, written: Written, world: World) -> debit.Debit | None:
        """The transaction's debit, verified; no account changes and no row shrinks without one."""
        found: debit.Debit | None = None
        if written.debit is not None:
            signed = debit.decode(written.debit[16:])
            setup = decode(_must(world, "settlement"))
            contract = signed.debit.domain.contract
            if not contract.startswith(f"{NAMESPACE}:"):
                raise SettlementError("a debit for another definition")
            account = self._account(signed.debit.account)
            domain = debit.Domain(setup["network"], self.channel, contract)
            found = debit.check(signed, domain, account["key"]["spki"], account["counter"])
            self.debits += 1
        for change in written.hidden:
            if (change.before or {}).get("schema") == "account/1":
                _changed(change, found)
        allowed = self._may_spend(found)
        for change in written.marked:
            if change.kind == "row" and _amount(change) < 0 and change.owner not in allowed:
                raise SettlementError("a balance shrinks without its account's signature")
        return found

    def _may_spend(self, found: debit.Debit | None) -> list[str]:
        if found is None:
            return []
        source = found.body.get("from", found.account)
        approval = self.book.named("approval", source, found.account)
        approved = approval is not None and approval["approved"]
        names = [found.account, *([source] if approved else [])]
        return [self.book.tag(name) for name in names]

    def _account(self, name: str) -> Document:
        found = self.book.named("account", name)
        if found is None:
            raise SettlementError("a debit of an account nobody registered")
        return found

    # -- what there is ------------------------------------------------------------------------

    def _gains(self, spent: debit.Debit | None, world: World) -> Counter[str]:
        """What a debit `take` brings its account by token: its due of settled sessions, once."""
        found: Counter[str] = Counter()
        if spent is None or spent.action != "take":
            return found
        for name in spent.body["sessions"]:
            session = decode(_must(world, "session", name))
            mine = self.due.get(name, {}).get(spent.account)
            if session["state"] != "SETTLED" or mine is None or (name, spent.account) in self.taken:
                continue
            self.taken.add((name, spent.account))
            found[to_hex(MONEY)] += mine["money"]
            for number, wh, *zone in mine["energy"]:
                found[to_hex(product_of(name, *zone).minted_by(number).token)] += wh
        return found

    def _balance(self, written: Written, gains: Counter[str]) -> None:
        """Rows, credits and deposits change by what is minted, redeemed and due, and by nothing
        else."""
        money, supply = to_hex(MONEY), self.book.tag("supply", MONEY)
        change: Counter[str] = Counter()
        minted = 0
        for one in written.marked:
            if one.kind in ("row", "credit"):
                change[(one.after or one.before or {})["token"]] += _amount(one)
            elif one.kind == "supply" and one.owner == supply:
                minted += _amount(one)
        received = 0
        for one in written.hidden:
            if (one.after or {}).get("schema") == "account/1":
                change[money] += (one.after or {})["locked"] - (one.before or {}).get("locked", 0)
            elif "receipt" in (one.after or {}):
                received += (one.after or {})["receipt"]["amount"]
        change[money] -= minted
        if max(minted, 0) != received:
            raise SettlementError("money is minted without a receipt")
        made = {token: wh for token, wh in gains.items() if wh}
        equal(made, {token: wh for token, wh in change.items() if wh}, "balances")

    def _paid_out(self, written: Written, spent: debit.Debit | None) -> None:
        """What is to be paid out is what an account's debit gave back."""
        given = spent is not None and spent.action == "redeem"
        due = [(self.book.tag(spent.account), spent.body["amount"])] if spent and given else []
        told = [(one.owner, _amount(one)) for one in written.marked if one.kind == "payout"]
        equal(due, told, "what is paid out")

    def _locked(self, written: Written) -> None:
        """What an account has locked is what its order lines hold."""
        for change in written.marked:
            if change.kind in ("ask", "bid"):
                for document, sign in ((change.before, -1), (change.after, 1)):
                    if document is not None:
                        self.deposits[document["account"]] += sign * document["deposit"]
        for change in written.hidden:
            if (change.after or {}).get("schema") == "account/1":
                account = change.after or {}
                equal(self.deposits[account["id"]], account["locked"], "locked deposits")

    # -- sessions -----------------------------------------------------------------------------

    def clock(self, world: World) -> int:
        """The ledger's time, UTC s."""
        setup = world.value(NAMESPACE, compositekey.create("settlement", []))
        if setup is None:
            return 0
        names = decode(setup)["organizations"]
        ticks = {}
        for name in names:
            value = world.value(NAMESPACE, compositekey.create("tick", [name]))
            if value is not None:
                ticks[name] = decode(value)["at"]
        return ledgerclock.clock(ticks, names)

    def _sessions(
        self, namespace: Namespace, world: World, clock: int, measured: Measured
    ) -> list[tuple[Document, Document, Any]]:
        """Sessions that move, with what must come of it by the book as it stands before."""
        found = []
        moving = {}
        for write in namespace.writes:
            if write.key.startswith("\x00limit\x00"):
                _published(compositekey.split(write.key)[1][0], world, clock)
            value = world.value(NAMESPACE, write.key)
            if not write.key.startswith("\x00session\x00"):
                continue
            after = decode(write.value)
            if value is None:
                auction.begun(after)
            else:
                moving[after["id"]] = (decode(value), after)
        for before, after in moving.values():
            made: Any = None
            auction.moved(before, after, clock)
            if (before["state"], after["state"]) == ("CLOSED", "CLEARED"):
                limit, other = _partner(world, after)
                _named(after, other, moving)
                made = auction.cleared(self.book, after, other, limit)
            elif after["state"] == "SETTLED" != before["state"]:
                other = moving[after["partner"]][1] if after["partner"] else None
                made = auction.settled(self.book, after, measured, clock, other)
            found.append((before, after, made))
        return found

    def _rent(self, written: Written, redone: list[tuple[Document, Document, Any]]) -> int:
        """The congestion rent of what a transaction settles, once; no other credit goes with it."""
        ends = [(after, made) for _, after, made in redone if made and after["state"] == "SETTLED"]
        congestion = self.book.tag("congestion")
        if ends and any(one.kind == "credit" and one.owner != congestion for one in written.marked):
            raise SettlementError("a settlement credits somebody else than congestion")
        return int(ends[0][1][3]) if ends else 0

    def _compare(self, after: Document, made: Any) -> None:
        """What a session's step wrote is what was made anew."""
        if made is None:
            return
        name, shards = after["id"], range(after["shards"])

        def written(kind: str) -> dict[str, Any]:
            return auction.rows(self.book.named(kind, name, shard) or {} for shard in shards)

        if after["state"] == "CLEARED":
            trades, kept, apart = made
            equal(trades, (self.book.named("trades", name) or {})["trades"], "a session's trades")
            rows = written("cleared")
            equal(kept, {who: row["orders"] for who, row in rows.items()}, "fills")
            equal(apart, {who: row["about"][5:] for who, row in rows.items()}, "origin kept")
            return
        told, due, compared, _, origin = made
        settled = self.book.named("settled", name) or {}
        equal(told, settled["trades"], "a settlement")
        equal(origin.energy_only, settled.get("energy_only", []), "trades of energy only")
        equal(due, written("due"), "what accounts are due")
        for shard in shards:
            whole = (self.book.named("due", name, shard) or {})["origin"]
            equal(origin.whole, whole, "what was sold with its origin")
        self.due[name] = due
        for account, row in due.items():
            place = self._feeds(account, after["carrier"], after["hour"])
            if place is not None:
                self.sold[place] = row["sold"]
        self.sessions += 1
        self.compared_hours += compared


def _published(session: str, world: World, clock: int) -> None:
    """Raises `SettlementError` for a limit published past its session's gate."""
    value = world.value(NAMESPACE, compositekey.create("session", [session]))
    if value is not None and clock >= decode(value)["times"]["gate"]:
        raise SettlementError("a limit was published past the gate")


def _left(world: World, district: str, mark: str) -> bool:
    """Whether the district's metering says that certificates of a mark left."""
    key = compositekey.create("origin-left", [mark])
    return world.value(f"metering-{district}", key) is not None


def _partner(world: World, session: Document) -> tuple[Document | None, Document | None]:
    """The limit and the session that one clears with: the zone that energy may flow to or from."""
    value = world.value(NAMESPACE, compositekey.create("limit", [session["id"]]))
    limit = decode(value) if value is not None else None
    if limit is None or not (limit["there"] or limit["back"]):
        return None, None
    other = world.value(NAMESPACE, compositekey.create("session", [limit["partner"]]))
    return (limit, decode(other)) if other is not None else (None, None)


def _named(
    after: Document, other: Document | None, moving: dict[str, tuple[Document, Document]]
) -> None:
    """Raises `SettlementError` unless a session names its partner, and both clear together."""
    wanted = other["id"] if other is not None else None
    if after["partner"] != wanted:
        raise SettlementError("a session is cleared with another than it is coupled to")
    if wanted is not None and moving.get(wanted, ({}, {"state": ""}))[1]["state"] != "CLEARED":
        raise SettlementError("a session is cleared without the one it is coupled to")


def _registered(change: Change) -> None:
    fresh = change.after or {}
    if (fresh["counter"], fresh["orders"], fresh["locked"]) != (0, 0, 0):
        raise SettlementError("an account does not begin at nothing")


def _changed(change: Change, found: debit.Debit | None) -> None:
    """An account changes by its own debit alone, and by no more than that may."""
    before, after = change.before or {}, change.after or {}
    if found is None or before["id"] != found.account or after.get("counter") != found.counter:
        raise SettlementError("an account changes without its key's signature")
    free = (*_SPENT, "key") if found.action == "rotate" else _SPENT
    if any(before[name] != after.get(name) for name in before if name not in free):
        raise SettlementError("a debit changes more of its account than it may")


def _amount(change: Change) -> int:
    before, after = (change.before or {}).get("amount", 0), (change.after or {}).get("amount", 0)
    return int(after) - int(before)


def _must(world: World, kind: str, *attributes: str) -> bytes:
    value = world.value(NAMESPACE, compositekey.create(kind, list(attributes)))
    if value is None:
        raise SettlementError(f"no {kind}")
    return value
