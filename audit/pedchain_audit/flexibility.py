# SPDX-License-Identifier: Apache-2.0
"""Step 10: orders of demand response, redone from consents, readings and papers.

What a transaction writes decides what is checked. Shared days are held against the audit's own
closing; plans, statements, sums, results and credits are made anew from these by `flexrules`, which
shares nothing with the contracts; dispatches and answers carry their signers' signatures.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pedchain_audit import flexown, flexsharing, operatorsbook
from pedchain_audit.errors import Broken, VerificationError
from pedchain_audit.flexchoice import Choice, FlexibilityError, same
from pedchain_audit.flexcorrection import Correction
from pedchain_audit.flexmeasuring import Measuring
from pedchain_audit.flexpapers import Papers
from pedchain_audit.flexrules import MILLION, Clock, Event, Money, parted
from pedchain_audit.flexstore import Store, Written
from pedchain_audit.metering import PREFIX, Metering
from pedchain_audit.operatorsbook import Change, book_writes
from pedchain_audit.registry import Registry, decode
from pedchain_audit.replay import Judged
from pedchain_audit.settlement import NAMESPACE, Settlement
from pedchain_audit.world import World
from pedchain_domain import calendar as calendars
from pedchain_domain import debit
from pedchain_domain.reasons import DomainError
from pedchain_fabric.wire.rwset import Namespace

Document = dict[str, Any]
_ORDER = "\x00flex-order\x00"
_NEWEST = "9999-12-31"


@dataclass(slots=True)
class Life:
    """An order as the audit has it, by district."""

    choices: dict[str, Choice] = field(default_factory=dict)
    measured: dict[str, Measuring] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    correction: Correction | None = None


@dataclass(slots=True)
class Flexibility:
    """Counts what it redid into `orders`, `statements` and `shared_days`."""

    channel: str
    metering: Metering
    settlement: Settlement
    stores: dict[str, Store] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    busy: dict[str, dict[str, list[list[Any]]]] = field(default_factory=dict)
    history: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    papers: Papers = field(init=False)
    passed_over: list[str] = field(default_factory=list)
    orders: int = 0
    statements: int = 0
    shared_days: int = 0

    def __post_init__(self) -> None:
        self.papers = Papers(self.channel)

    def transaction(self, number: int, judged: Judged, world: World, private: bytes | None) -> None:
        """One valid transaction, after `Settlement` and `Metering` saw it and before its public
        writes are applied; `private` as delivered."""
        try:
            self._transaction(judged, world, private)
        except (Broken, DomainError, KeyError, ValueError, IndexError) as error:
            check = error.check if isinstance(error, Broken) else FlexibilityError.check
            text = str(error) if isinstance(error, Broken) else f"it rests on nothing: {error!r}"
            place = judged.position
            raise VerificationError(check, text, block=number, transaction=place) from error

    def _transaction(self, judged: Judged, world: World, private: bytes | None) -> None:
        namespaces = judged.namespaces
        fresh: dict[str, Written] = {}
        for space in namespaces:
            if space.name.startswith(PREFIX) and space.collections:
                district = space.name.removeprefix(PREFIX)
                store = self.stores.setdefault(district, Store())
                fresh[district] = store.read(space, private)
        settled = next((one for one in namespaces if one.name == NAMESPACE), None)
        moved = _moved(settled, world) if settled is not None else None
        for district, written in fresh.items():
            self._shared(district, written, world)
            self._declared(district, written, world, judged)
            self.papers.check(district, written, self._registry(world, district), self._now(world))
        if settled is not None:
            changes = self.settlement.book.read(book_writes(settled, private) or [])
            credited = _credits(changes)
            self._pay(changes.hidden, credited)
            self._add(changes.hidden, credited)
            if moved is not None:
                self._reduced(*moved, changes.debit, world)
                self._order(*moved, fresh, world, credited)
        for district, written in fresh.items():
            self.stores[district].make(written)

    def not_checked(self) -> list[str]:
        """What the archive does not hold, or what is not redone, in words."""
        blind = [name for name, store in sorted(self.stores.items()) if store.blind]
        found = [f"demand response in {name}: private data is not all here" for name in blind]
        if self.passed_over:
            named = ", ".join(sorted(dict.fromkeys(self.passed_over)))
            found.append(f"baselines of orders not redone: {named}")
        return found

    def _registry(self, world: World, district: str) -> Registry:
        return Registry(world, PREFIX + district)

    def _now(self, world: World) -> int:
        return self.settlement.clock(world)

    def _credited(self, found: Counter[tuple[str, int]], *wanted: tuple[str | None, int]) -> None:
        book = self.settlement.book
        made = Counter((book.tag(name), amount) for name, amount in wanted if name and amount)
        same(made, found, "what an order credits")

    # -- shared days --------------------------------------------------------------------------

    def _shared(self, district: str, written: Written, world: World) -> None:
        days = self.metering.days(district)
        for kept in written.values():
            if kept is None or not {"day", "run", "grain", "sites"} <= kept.document.keys():
                continue
            if days is None:
                self.stores[district].blind = True
                return
            registry = self._registry(world, district)
            cell = self._cell(registry, district, kept.document, written)
            roster = registry.roster(cell, kept.document["day"]["day"])
            self.shared_days += flexsharing.redo(days, roster, kept.document)

    def _cell(self, registry: Registry, district: str, document: Document, written: Written) -> int:
        store, day = self.stores[district], document["day"]["day"]
        for cell in range(registry.cells()):
            kept = written.get(store.tag("shared", cell, day))
            if kept is not None and kept.document is document:
                return cell
        raise FlexibilityError("a shared day of no cell")

    def _declared(self, district: str, written: Written, world: World, judged: Judged) -> None:
        """Schedules are told ahead, once."""
        registry = self._registry(world, district)
        if judged.transaction is None or not flexown.declares(written):
            return
        rows = registry.calendar(registry.district(_NEWEST))
        at, period = judged.transaction.timestamp // 1_000_000_000, registry.must("fence")["period"]
        flexown.declared(self.stores[district], written, at, int(period), rows)

    # -- an order -----------------------------------------------------------------------------

    def _order(
        self,
        before: Document | None,
        after: Document,
        fresh: dict[str, Written],
        world: World,
        credited: Counter[tuple[str, int]],
    ) -> None:
        order = after["order"]
        if before is None:
            self.lives[order["id"]] = Life()
            flags = [after["plant"], after["guaranteed"], after["reduced"]]
            same(([False] * 3, Money(after).escrow), (flags, after["escrow"]), "an order as issued")
            charged = order["product"] == "best-effort" and order["penalty"] > 0
            same(False, charged, "a best effort's penalty")
            return
        same(before["order"], order, "an order's terms")
        if (before["state"], after["state"]) == ("ISSUED", "ACCEPTED"):
            same(Money(after).collateral, after["collateral"], "an order's collateral")
            same(self._now(world), after["notice"], "an order's notice")
            same(sum(after["parts"].values()), order["power_w"], "an order's parts")
        elif after["state"] in ("REVOKED", "LAPSED"):
            locked = (order["issuer"], after["escrow"]), (order["provider"], after["collateral"])
            self._credited(credited, *locked)
        elif (before["state"], after["state"]) == ("ACCEPTED", "SETTLED"):
            self._finish(after, credited)
        elif not any(self.stores[name].blind for name in order["districts"] if name in self.stores):
            self._steps(before, after, fresh, world)
            self._correct(before, after, fresh, credited)

    def _reduced(
        self, before: Document | None, after: Document, spent: bytes | None, world: World
    ) -> None:
        """An order asks for less only by its issuer's debit, before it begins; what its provider
        guarantees, it says when it accepts."""
        if before is not None and before["state"] != "ISSUED":
            same(before["guaranteed"], after["guaranteed"], "what a provider guarantees")
        if before is None or before["reduced"] == after["reduced"]:
            return
        order = after["order"]
        signed = None if spent is None else debit.decode(spent[16:]).debit
        told = None if signed is None else (signed.account, signed.action, signed.body)
        same(
            (order["issuer"], "reduce-order", {"order": order["id"]}), told, "who reduces an order"
        )
        if before["reduced"] or self._now(world) >= order["start"]:
            raise FlexibilityError("an order was reduced once it had begun")

    def _steps(
        self,
        before: Document,
        after: Document,
        fresh: dict[str, Written],
        world: World,
    ) -> None:
        name = after["order"]["id"]
        for district, part in after["districts"].items():
            former, written = before["districts"][district]["phase"], fresh.get(district, {})
            phase = part["phase"]
            if former in ("open", "freezing") and phase in ("freezing", "frozen"):
                self._freeze(after, district, part, written, world)
            elif former in ("dispatched", "measuring") and phase in ("measuring", "measured"):
                if written:
                    self._measure(after, district, part, written, world)
            elif (former, phase) == ("frozen", "dispatched"):
                self.papers.all_sent(name, district)
            elif (former, phase) == ("measured", "paid"):
                self._paid(name, district)

    def _freeze(
        self, found: Document, district: str, part: Document, written: Written, world: World
    ) -> None:
        order, store = found["order"], self.stores[district]
        life = self.lives[order["id"]]
        registry = self._registry(world, district)
        choice = life.choices.get(district)
        if choice is None:
            choice = life.choices[district] = self._choice(found, district, registry)
        name = order["id"]
        state = written.get(store.tag("freezing", name))
        count = (
            registry.cells()
            if part["phase"] == "frozen" or state is None
            else (state.document["after"])
        )
        for cell in range(choice.after, count):
            kept = written.get(store.tag("frozen", name, cell))
            frozen = None if kept is None else kept.document
            choice.cell(store, cell, frozen, registry.roster(cell))
        choice.after = count
        if part["phase"] == "frozen":
            plan = written[store.tag("plan", name)]
            if plan is None:
                raise FlexibilityError("an order without a plan")
            choice.finish(plan.document, part)
            account = self.settlement.book.named("account", order["issuer"])
            if account is None:
                raise FlexibilityError("an order of nobody")
            network = registry.must("fence")["network"]
            self.papers.expect(store, district, order, choice.plan, network, account)

    def _choice(self, found: Document, district: str, registry: Registry) -> Choice:
        order = found["order"]
        document = registry.district(_NEWEST)
        rows = registry.calendar(document)
        row, notice = (calendars.day_at(rows, at) for at in (order["start"], found["notice"]))
        if row is None or notice is None:
            raise FlexibilityError("an order of an unknown day")
        event = Event(order, found["notice"], Clock(dict(row), document["grain"]))
        flexown.noticed(event)
        period = int(registry.must("fence")["period"])
        busy = self.busy.setdefault(district, {})
        return Choice(event, notice["day"], found["parts"][district], period, busy)

    # -- what came of it ----------------------------------------------------------------------

    def _measure(
        self, found: Document, district: str, part: Document, written: Written, world: World
    ) -> None:
        name, store = found["order"]["id"], self.stores[district]
        choice = self.lives[name].choices.get(district)
        kept = written.get(store.tag("measuring", name))
        if choice is None or kept is None:
            self.passed_over.append(name)
            return
        state = self.lives[name].measured.setdefault(district, Measuring(choice))
        sold = partial(flexown.sold, self.settlement, world, choice.event, district)
        self.statements += state.step(store, self.papers, kept.document, written, sold)
        if part["phase"] == "measured":
            held = self.settlement.book.named("flex", name, district) or {}
            state.done(held["sums"], part)

    def _finish(self, found: Document, credited: Counter[tuple[str, int]]) -> None:
        order = found["order"]
        life = self.lives[order["id"]]
        if not {*order["districts"]} <= life.measured.keys():
            self.passed_over.append(order["id"])
            return
        sums = [life.measured[name].sums for name in order["districts"]]
        event = life.choices[order["districts"][0]].event
        moved = [
            event.moved(sum(b for b, _ in row), sum(m for _, m in row))
            for row in zip(*sums, strict=True)
        ]
        contributed = {name: one.contributed for name, one in life.measured.items()}
        history = self.history.setdefault(order["provider"], [])[-5:]
        money = Money(found)
        if found["reduced"]:
            money.reduce(sum(one.ordered for one in life.measured.values()))
        ordered, brought = (sum(row[at] for row in history) for at in (0, 1))
        reliability = min(MILLION, brought * MILLION // ordered) if ordered else MILLION // 2
        result, outcomes, sides = money.settled(moved, contributed, reliability)
        same(result, found["result"], "an order's result")
        held = self.settlement.book.named("flex-outcome", order["id"]) or {}
        same(outcomes, held.get("outcomes"), "an order's outcome by interval")
        self._credited(credited, *((order[side], amount) for side, amount in sides.items()))
        self.history[order["provider"]].append((money.ordered, result["delivered_wh"]))
        life.pools = result["pools"]
        life.correction = Correction(order, money, life.measured, result)
        self.orders += 1

    def _pay(self, changes: list[Change], credited: Counter[tuple[str, int]]) -> None:
        """A step of paying a district's users: those behind the last one paid."""
        book = self.settlement.book
        for change in changes:
            paid = change.after or {}
            if paid.get("schema") != "paid/1":
                continue
            name = paid["order"]
            life = self.lives[name]
            for district, state in life.measured.items():
                if not book.is_named(change, "flex-paid", name, district) or not life.pools:
                    continue
                weights = {site: wh for site, (wh, _) in state.weights.items()}
                parts = parted(life.pools[district], weights)
                due = [site for site in sorted(parts) if state.paid < site <= paid["after"]]
                self._credited(credited, *((state.weights[site][1], parts[site]) for site in due))
                state.paid = paid["after"]
                state.given += sum(parts[site] for site in due)
                same(state.given, paid["paid"], "what an order's users are paid")

    # -- run FINAL ----------------------------------------------------------------------------

    def _correct(
        self,
        before: Document,
        after: Document,
        fresh: dict[str, Written],
        credited: Counter[tuple[str, int]],
    ) -> None:
        """A settled order's correction, a step of measuring it, or a side's payment."""
        correction = self.lives[after["order"]["id"]].correction
        if correction is None:
            return
        if "correction" in before:
            wanted = correction.paid(before, after)
            if wanted:
                self._credited(credited, *wanted)
            return
        for district, part in after["districts"].items():
            found = part.get("correction")
            written = fresh.get(district, {})
            if found is not None and written and "correction" not in after:
                correction.step(self.stores[district], district, found, written)
        if "correction" in after:
            correction.finish(after)

    def _add(self, changes: list[Change], credited: Counter[tuple[str, int]]) -> None:
        """What a correction adds to users' parts."""
        book = self.settlement.book
        for name, life in self.lives.items():
            if life.correction is None or not life.correction.pools:
                continue
            for district in life.measured:
                for change in changes:
                    if book.is_named(change, "flex-added", name, district) and change.after:
                        wanted = life.correction.added(district, change.after["after"])
                        self._credited(credited, *wanted)

    def _paid(self, name: str, district: str) -> None:
        life = self.lives[name]
        if life.pools:
            given = life.measured[district].given
            same(life.pools[district], given, "what an order's users are paid in all")


def _credits(changes: operatorsbook.Written) -> Counter[tuple[str, int]]:
    """What is credited, by the owner's tag; what is folded is no credit."""
    return Counter(
        (one.owner, int(one.after["amount"]))
        for one in changes.marked
        if one.kind == "credit" and one.after is not None
    )


def _moved(settled: Namespace, world: World) -> tuple[Document | None, Document] | None:
    """The order that a transaction writes, before and after."""
    for write in settled.writes:
        if write.key.startswith(_ORDER) and not write.deletes:
            value = world.value(NAMESPACE, write.key)
            return None if value is None else decode(value), decode(write.value)
    return None
