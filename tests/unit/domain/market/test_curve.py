# SPDX-License-Identifier: Apache-2.0
"""Curves that are printed: in steps of enough accounts, nothing lost, nobody shown (rules C2)."""

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market.clearing import Line
from pedchain_domain.market.curve import GROUP_ACCOUNTS, curve, printable

LINES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 500), st.integers(0, 9)), max_size=80)


def test_a_step_has_enough_accounts_and_its_worst_limit() -> None:
    lines = [Line(f"o{at:02d}", 100, 1_000 * (at // 5)) for at in range(40)]
    accounts = {line.id: f"a{line.id}" for line in lines}
    assert curve(lines, accounts, buying=False) == [[2_000, 1_500], [7_000, 2_500]]
    assert curve(lines, accounts, buying=True) == [[5_000, 1_500], [0, 2_500]]


def test_a_small_book_and_one_with_a_giant_have_no_curve() -> None:
    few = [Line(f"o{at}", 100, 1_000) for at in range(GROUP_ACCOUNTS - 1)]
    assert curve(few, {line.id: line.id for line in few}, buying=True) == []
    late = [Line(f"p{at}", 100, 1_000) for at in range(20)] + [Line("giant", 10_000, 500)]
    assert curve(late, {line.id: line.id for line in late}, buying=True) == [[1_000, 2_000]]
    giant = [*few, Line("giant", 10_000, 1_000)]
    assert curve(giant, {line.id: line.id for line in giant}, buying=True) == []


def test_many_orders_of_few_accounts_are_few() -> None:
    assert not printable(dict.fromkeys(map(str, range(14)), 100))
    assert printable(dict.fromkeys(map(str, range(15)), 100))


@given(LINES)
def test_a_curve_holds_no_more_than_the_book_and_is_in_order(
    rows: list[tuple[int, int, int]],
) -> None:
    lines = [Line(f"o{at:03d}", wh, limit) for at, (_, wh, limit) in enumerate(rows)]
    accounts = {f"o{at:03d}": f"a{who}" for at, (who, _, _) in enumerate(rows)}
    found = curve(lines, accounts, buying=True)
    assert sum(wh for _, wh in found) <= sum(line.quantity for line in lines)
    assert found == sorted(found, key=lambda step: -step[0])
