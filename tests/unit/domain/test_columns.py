# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import columns

Filed = list[tuple[int, str, int]]
INSTANTS = st.integers(0, 6)
VALUES = st.lists(st.tuples(INSTANTS, st.sampled_from("IE"), st.integers(0, 99)), max_size=8)
RECORDS = st.lists(st.tuples(VALUES.filter(bool), st.booleans()), min_size=1, max_size=5)


def naive(records: list[tuple[Filed, bool]]) -> dict[int, dict[str, int]]:
    """{instant: {role: whole}} as the module's docstring says it, a value at a time."""
    found: dict[int, dict[str, int]] = {}
    for values, substitute in records:
        for at, role, whole in values:
            line = found.setdefault(at, {})
            if substitute or role not in line:
                line[role] = whole
    return found


def lines(one: columns.Columns) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for role in columns.roles(one):
        for at, whole in columns.knots(one, role):
            found.setdefault(at, {})[role] = whole
    return found


def made(values: Filed, substitute: bool) -> columns.Columns:
    return columns.of([], values) if substitute else columns.of(values)


@given(RECORDS)
def test_records_join_as_if_each_value_had_been_filed_by_itself(
    records: list[tuple[Filed, bool]],
) -> None:
    joined = columns.join([made(*one) for one in records])
    assert lines(joined) == naive(records)
    assert joined["t"] == sorted(naive(records))
    corrected = {at for values, substitute in records if substitute for at, _, _ in values}
    assert joined.get("s", []) == sorted(corrected)


@given(RECORDS, st.integers(0, 5))
def test_it_does_not_matter_in_which_steps_they_are_joined(
    records: list[tuple[Filed, bool]], cut: int
) -> None:
    parts = [made(*one) for one in records]
    first, rest = parts[: cut + 1], parts[cut + 1 :]
    again = columns.join([columns.join(first), *rest])
    assert lines(again) == lines(columns.join(parts))


def test_records_that_follow_each_other_are_strung_together() -> None:
    one, two = columns.of([(0, "I", 1), (9, "I", 2)]), columns.of([(18, "I", 4)])
    assert columns.join([one, two]) == {"t": [0, 9, 18], "I": [1, 2, 4]}
    assert columns.join([two, one]) == {"t": [0, 9, 18], "I": [1, 2, 4]}


@given(VALUES, VALUES, INSTANTS, INSTANTS)
def test_a_part_is_what_stands_between_two_instants(
    values: Filed, corrections: Filed, first: int, last: int
) -> None:
    whole = columns.of(values, corrections)
    part = columns.part(whole, first, last)
    inside = {at: line for at, line in lines(whole).items() if first <= at <= last}
    assert lines(part or {"t": []}) == inside
    if part is not None:
        assert all(any(value is not None for value in part[role]) for role in columns.roles(part))
        assert part.get("s") != []


@given(VALUES.filter(bool))
def test_outermost_registers_are_the_first_and_last_known(values: Filed) -> None:
    one = columns.of(values)
    for role, (first_t, first, last_t, last) in columns.outermost(one).items():
        known = columns.knots(one, role)
        assert [first_t, first] == known[0]
        assert [last_t, last] == known[-1]


@given(VALUES)
def test_a_transaction_keeps_its_order_and_its_repeated_instants(values: Filed) -> None:
    one = columns.in_order(values)
    for role in columns.roles(one):
        told = [[at, whole] for at, mine, whole in values if mine == role]
        assert columns.knots(one, role) == told
