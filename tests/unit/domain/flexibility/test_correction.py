# SPDX-License-Identifier: Apache-2.0
"""What run FINAL puts right: who owes whom, who never gives back, what of a statement stays."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.flexibility import delivery, history
from pedchain_domain.flexibility.baseline import RULES
from pedchain_domain.flexibility.basis import Asked
from pedchain_domain.flexibility.correction import additions, owed
from pedchain_domain.flexibility.delivery import Interval
from pedchain_domain.flexibility.escrow import Release, Terms, release
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.statement import corrected, statement
from tests.unit.domain.flexibility.test_statement import EVENT, HOUR, NOTICE, TODAY, row, site

TERMS = Terms(Direction.DOWN, [400] * 4, 300_000, 50_000)
wh = st.lists(st.integers(0, 1_500), min_size=4, max_size=4)
parts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 10**6))


def released(measured: list[int]) -> Release:
    rows = [Interval(1_000, one, 400) for one in measured]
    result = delivery.settle(Direction.DOWN, rows, 300_000, 300_000, TERMS.worth)
    return release(TERMS, result, available=0)


@given(wh, wh)
def test_what_is_owed_makes_the_issuer_whole_and_takes_nothing_from_a_supplier(
    before: list[int], after: list[int]
) -> None:
    settled, final = released(before), released(after)
    due = owed(settled, final)
    assert settled.operator + due.provider - due.issuer == final.operator
    assert min(due) >= 0
    assert due.issuer == 0 or due.provider == 0
    assert settled.supplier + due.supplier == max(settled.supplier, final.supplier)
    assert owed(settled, settled) == (0, 0, 0)


@given(parts, parts)
def test_users_get_what_they_lacked_and_keep_what_they_had(
    before: dict[str, int], after: dict[str, int]
) -> None:
    found = additions(before, after)
    assert min(found.values(), default=1) > 0
    for name, part in after.items():
        had = before.get(name, 0)
        assert had + found.get(name, 0) == max(had, part)
    assert not set(found) - set(after)


def judged(letters: str, values: list[int], final: str, now: list[int]) -> tuple[Any, Any]:
    """A statement by a schedule of 600 Wh, and what run FINAL makes of it."""
    order = {"start": EVENT, "count": 2, "grain": HOUR}
    framed = history.frame(order, NOTICE, row(TODAY))
    asked = Asked(Direction.DOWN, RULES["declared"], framed, 5)
    whole = "M" * 12 + letters + "M" * 10
    settled = statement(
        asked, site([500] * 12 + values + [500] * 10, whole), [], 400, {}, schedule=[600] * 24
    )
    today = site([500] * 12 + now + [500] * 10, "M" * 12 + final + "M" * 10)
    return settled, corrected(asked, settled, today)


def test_a_statement_is_corrected_by_what_became_known_and_by_nothing_else() -> None:
    settled, found = judged("XM", [0, 500], "MM", [450, 500])
    assert (settled["measured"], settled["letters"]) == ([600, 500], "XM")
    assert (found["measured"], found["letters"]) == ([450, 500], "MM")
    assert (settled["contributed"], found["contributed"]) == (100, 250)
    assert found["baseline"] == settled["baseline"]
    still, same = judged("XM", [0, 500], "XM", [0, 500])
    assert same == still
    gone, kept = judged("MM", [300, 500], "XX", [0, 0])
    assert kept["measured"] == gone["measured"]
