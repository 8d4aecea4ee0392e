# SPDX-License-Identifier: Apache-2.0
"""Step 10 on what a peer in memory committed: orders follow from consents, readings and papers, and
nothing of it can be changed without being found."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pedchain_audit.errors import VerificationError
from pedchain_audit.flexibility import Flexibility
from pedchain_audit.metering import Metering
from pedchain_audit.replay import VALID, Judged
from pedchain_audit.settlement import Due, Settlement
from pedchain_audit.world import World
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim.testing import Outcome
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Version
from tests.unit.audit.test_settlement_redone import forged
from tests.unit.chaincode.district import DAY, DSO
from tests.unit.chaincode.flexing import BEFORE, EVENT, HOUR, NOTICE, Flexible, order

Done = list[tuple[Outcome, bytes]]
Change = Callable[[dict[str, Any]], dict[str, Any]]


def noting(street: Flexible) -> Done:
    """Whatever is committed from now on, and who submitted it."""
    done: Done = []
    submit, commit = street.peer.submit, street.peer.commit
    clients: list[bytes] = []

    async def noted(*call: Any, **options: Any) -> bytes:
        clients.append(options.get("creator", DSO))
        answer: bytes = await submit(*call, **options)
        return answer

    def kept(outcome: Outcome) -> Any:
        done.append((outcome, clients[-1]))
        return commit(outcome)

    street.peer.submit, street.peer.commit = noted, kept
    return done


async def history() -> Done:
    """An order for less that one home leaves and another loads up for; one for more on the same
    day; one that is taken back, and one that lapses."""
    street = Flexible(4)
    done = noting(street)
    await street.prepare()
    await street.clock(NOTICE - HOUR)
    await street.issue(order(id="o-3", power_w=800))
    await street.revoke("o-3")
    await street.issue(order(id="o-4", power_w=800))
    await street.file(16, range(1, 9), {})
    await street.clock(NOTICE)
    more = {"availability": 100_000, "toe_price": 1_000, "supplier": "dso", "power_w": 1_200}
    await street.issue(order(**more))
    await street.accept(1_200, plant=True)
    await street.seal()
    await street.steps("FreezeOrder")
    await street.dispatch()
    asked = await street.asked()
    await street.answer(asked)
    await street.answer(asked[-1:], papers.OPT_OUT)
    await street.reduce()
    more = {"direction": "up", "product": "best-effort", "penalty": 0, "power_w": 400}
    await street.issue(order(id="o-2", start=EVENT + 3 * HOUR, **more))
    await street.accept(400, "o-2", plant=True, guaranteed=True)
    await street.steps("FreezeOrder", "o-2")
    await street.dispatch("o-2")
    await street.answer(await street.asked("o-2"), name="o-2")
    loads = {(asked[0].name, hour): 1_500 for hour in (9, 10, 11)}
    less = {(home.name, hour): 250 for home in asked for hour in (12, 13)}
    await street.event(loads | less)
    await street.settle()
    await street.settle("o-2")
    await street.step("LapseOrder", "o-4")
    return done


@pytest.fixture(scope="module")
async def done() -> Done:
    return await history()


def redo(
    done: Sequence[tuple[Outcome, bytes]],
    change: Change | None = None,
    wants: Callable[..., bool] | None = None,
    market: tuple[Outcome, Due] | None = None,
) -> Flexibility:
    """The audit's own pass; the first private document that `wants` picks is changed. `market` is
    what the market left beside the history: sessions, and what they brought."""
    world, left = World(), change
    metering = Metering("ped")
    found = Flexibility("ped", metering, Settlement("ped", metering.measured))
    if market is not None:
        world.apply(market[0].namespaces, Version(0, 0))
        found.settlement.due.update(market[1])
    for number, (outcome, creator) in enumerate(done):
        public, private = outcome.namespaces, outcome.private_namespaces
        if left is not None and wants is not None:
            public, private, is_done = forged(public, private, left, wants)
            left = None if is_done else left
        act = SimpleNamespace(
            transaction_id=outcome.transaction_id, timestamp=outcome.timestamp_ns, creator=creator
        )
        judged = Judged(number, VALID, act, public)  # type: ignore[arg-type]  # all that is read
        raw = rwset.encode_private(private)
        metering.transaction(number, judged, world, raw)
        found.settlement.transaction(number, judged, world, raw)
        found.transaction(number, judged, world, raw)
        world.apply(public, Version(number, 0))
    assert left is None
    return found


def test_orders_are_redone(done: Done) -> None:
    found = redo(done)
    assert (found.orders, found.not_checked()) == (2, [])
    assert found.statements == 3
    assert found.shared_days > 4 * 16


def first_more(name: str) -> Change:
    """The first number of a list one higher."""
    return lambda one: {**one, name: [one[name][0] + 1, *one[name][1:]]}


def of_first_site(change: Change) -> Change:
    def changed(one: dict[str, Any]) -> dict[str, Any]:
        site, *_ = sorted(one["sites"])
        return {**one, "sites": {**one["sites"], site: change(one["sites"][site])}}

    return changed


def first_sum(one: dict[str, Any]) -> dict[str, Any]:
    (base, measured), *rest = one["sums"]
    return {**one, "sums": [[base, measured - 1], *rest]}


def first_weight(one: dict[str, Any]) -> dict[str, Any]:
    site = max(one["weights"])
    wh, account = one["weights"][site]
    return {**one, "weights": {**one["weights"], site: [wh + 1, account]}}


def swapped(one: dict[str, Any]) -> dict[str, Any]:
    """A W of one site is asked of another."""
    first, second, *_ = sorted(one["watts"])
    watts = one["watts"]
    return {**one, "watts": {**watts, first: watts[first] - 1, second: watts[second] + 1}}


MUTANTS: dict[str, tuple[Change, Callable[[dict[str, Any]], bool]]] = {
    "a shared day": (of_first_site(first_more("f")), lambda one: "run" in one and "sites" in one),
    "frozen days": (
        of_first_site(lambda site: {**site, "days": site["days"][1:]}),
        lambda one: [*one] == ["sites"] and any("salt" in each for each in one["sites"].values()),
    ),
    "an order's watts": (swapped, lambda one: "watts" in one),
    "a statement": (
        of_first_site(first_more("baseline")),
        lambda one: (
            any("letters" in each for each in one.get("sites", {}).values())
            if isinstance(one.get("sites"), dict)
            else False
        ),
    ),
    "a subtotal": (first_sum, lambda one: "sums" in one and "weights" in one),
    "a weight": (first_weight, lambda one: "weights" in one),
    "a district's subtotal": (
        first_sum,
        lambda one: "sums" in one and "weights" not in one,
    ),
    "an outcome": (
        lambda one: {**one, "outcomes": [[1, 2], *one["outcomes"][1:]]},
        lambda one: "outcomes" in one,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_changed_document_is_found(done: Done, name: str) -> None:
    change, wants = MUTANTS[name]
    with pytest.raises(VerificationError) as told:
        redo(done, change, lambda _, document: wants(document))
    assert told.value.check == "flexibility"


def replaced(done: Done, old: bytes, new: bytes, where: bytes = b"") -> Done:
    """Public writes with some bytes replaced, from the first that holds them on."""

    def changed(outcome: Outcome) -> Any:
        spaces = tuple(
            replace(
                space,
                writes=tuple(
                    replace(one, value=one.value.replace(old, new)) if where in one.value else one
                    for one in space.writes
                ),
            )
            for space in outcome.namespaces
        )
        return SimpleNamespace(
            namespaces=spaces,
            private_namespaces=outcome.private_namespaces,
            transaction_id=outcome.transaction_id,
            timestamp_ns=outcome.timestamp_ns,
        )

    return [(changed(outcome), creator) for outcome, creator in done]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"rrmse_ppm":', b'"rrmse_ppm":1'),
        (b'"deficiency_wh":', b'"deficiency_wh":1'),
        (b'"escrow":', b'"escrow":1'),
        (b'"contributed":', b'"contributed":1'),
        (b'"direction":"up"', b'"direction":"down"'),
        (b'"guaranteed":true', b'"guaranteed":false'),
        (b'"reduced":true', b'"reduced":false'),
        (b'"reduced":false', b'"reduced":true'),
    ],
)
def test_an_order_that_says_something_else_is_found(done: Done, old: bytes, new: bytes) -> None:
    with pytest.raises(VerificationError):
        redo(replaced(done, old, new, where=b'"order":'))


def test_money_credited_to_another_side_is_found(done: Done) -> None:
    """Balances still come out even: one side has a unit more, another one less."""
    at, amounts = next(
        (at, found)
        for at, (outcome, _) in enumerate(done)
        if len(found := credits_of(outcome)) > 1 and b'"state":"SETTLED"' in public_of(outcome)
    )
    outcome, creator = done[at]
    spaces = outcome.namespaces, outcome.private_namespaces
    for amount, more in zip(amounts, (1, -1), strict=False):
        *spaces, is_done = forged(  # type: ignore[assignment]  # two of three
            *spaces,
            lambda one, more=more: {**one, "amount": one["amount"] + more},
            lambda kind, one, amount=amount: kind == "credit" and one["amount"] == amount,
        )
        assert is_done
    changed: Any = SimpleNamespace(
        namespaces=spaces[0],
        private_namespaces=spaces[1],
        transaction_id=outcome.transaction_id,
        timestamp_ns=outcome.timestamp_ns,
    )
    with pytest.raises(VerificationError, match="what an order credits"):
        redo([*done[:at], (changed, creator), *done[at + 1 :]])


async def late_history() -> Done:
    """Readings after noon come after run F, and run FINAL puts the order right: both sides pay."""
    street = Flexible(2)
    done = noting(street)
    await street.prepare()
    await street.file(BEFORE, range(1, 9), {})
    await street.clock(NOTICE)
    await street.issue(order(power_w=800))
    await street.accept(800, plant=True)
    await street.seal()
    await street.steps("FreezeOrder")
    await street.dispatch()
    await street.answer(street.homes)
    wh = {(home.name, hour): 200 for home in street.homes for hour in (12, 13)}
    await street.file(BEFORE, range(9, 13), wh)
    await street.seal()
    await street.close(BEFORE, "P")
    for day in range(BEFORE + 1):
        await street.close(day, "F")
    await street.clock(EVENT + 12 * DAY)
    await street.settle()
    await street.file(BEFORE, range(13, 24), wh)
    await street.file(BEFORE + 1, [0], {})
    await street.seal()
    await street.correct()
    await street.fold(street.dso)
    await street.fold(street.provider)
    await street.owe(street.dso)
    await street.owe(street.provider, "DistrictA")
    return done


@pytest.fixture(scope="module")
async def late() -> Done:
    return await late_history()


def test_what_run_final_puts_right_is_redone(late: Done) -> None:
    found = redo(late)
    assert (found.orders, found.not_checked()) == (1, [])
    ((order_, life),) = found.lives.items()
    assert life.correction is not None
    assert (order_, sum(life.correction.pools.values()) > 0) == ("o-1", True)


@pytest.mark.parametrize("where", ["statement", "weights"])
def test_a_changed_correction_is_found(late: Done, where: str) -> None:
    statements: list[str] = []

    def wants(_: str, one: dict[str, Any]) -> bool:
        name = "statement" if "letters" in str(one.get("sites")) else "weights"
        if (name == "weights" and "weights" not in one) or name != where:
            return False
        statements.append(name)
        return len(statements) > 1  # the settlement's comes first

    change = of_first_site(first_more("measured")) if where == "statement" else first_weight
    with pytest.raises(VerificationError, match=r"correct"):
        redo(late, change, wants)


@pytest.mark.parametrize("old", [b'"owed":{"issuer":', b'"run":"FINAL","supplier":'])
def test_another_debt_is_found(late: Done, old: bytes) -> None:
    with pytest.raises(VerificationError, match="a correction's result"):
        redo(replaced(late, old, old + b"1"))


def credits_of(outcome: Outcome) -> list[int]:
    return [
        json.loads(write.value[16:])["amount"]
        for space in outcome.private_namespaces
        for part in space.collections
        for write in part.writes
        if write.key.startswith("\x00credit\x00") and write.value
    ]


def public_of(outcome: Outcome) -> bytes:
    return b"".join(write.value for space in outcome.namespaces for write in space.writes)
