# SPDX-License-Identifier: Apache-2.0
"""Numbers in blocks (ADR 18): a hidden day's number never follows from what is printed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_domain import calendar, publication, window
from pedchain_domain.documents import Parameters
from pedchain_domain.reasons import Reason

SETTING = Parameters()
FLOWS = ("I", "E", "G", "C", "L", "Ch", "D")
IDENTITIES = ({"G": 1, "L": -1, "E": -1, "I": 1}, {"L": 1, "C": -1, "Ch": -1, "D": 1})
EDGE = {"start": {"wh": 0, "ghg": 0, "nren": 0}, "end": {"wh": 0, "ghg": 0, "nren": 0}}
GOOD = (20, 50)


def totals(at: int, **contributions: tuple[int, int]) -> dict[str, Any]:
    held = {**dict.fromkeys(FLOWS, GOOD), **contributions}
    return {
        "day": calendar.shifted("2026-01-01", at),
        "salt": f"{at:032x}",
        "additive": {**dict.fromkeys(FLOWS, 1_000), "X": 900},
        "contributions": {name: list(pair) for name, pair in held.items()},
        "maxima": [0, 0, 0, at, at],
        "edges": EDGE,
        "scope": {},
    }


def run(days: list[dict[str, Any]], former: list[dict[str, Any]] | None = None) -> Any:
    """Marked totals and windows of days in order."""
    made, marked, windows = window.empty(len(days)), [], []
    for at, day in enumerate(days):
        before = None if former is None else former[at]
        marked.append(publication.marked(day, SETTING, made["open"], before))
        made = window.advance(made, marked[-1])
        windows.append(made)
    return marked, windows


def test_a_hidden_day_is_told_in_one_sum_with_the_next() -> None:
    marked, windows = run([totals(0), totals(1, E=(3, 100)), totals(2), totals(3)])
    hidden = [sorted(day["hidden"]) for day in marked]
    assert hidden == [[], ["C", "E", "L"], ["C", "E", "L"], []]
    assert marked[1]["hidden"]["E"] == Reason.GROUP_TOO_SMALL
    assert marked[2]["hidden"]["E"] == Reason.COMPLEMENTARY
    assert [sorted(window.unprintable(one)) for one in windows] == [[], ["C", "E", "L"], [], []]


def test_a_block_goes_on_until_its_own_sum_rests_on_enough_homes() -> None:
    """One home holds 60 % of a day: with a bound of 15 %, three even days do not outweigh it."""
    marked, windows = run([totals(0, E=(20, 600)), *(totals(at) for at in range(1, 8))])
    lengths = [day["open"].get("E", [0])[0] for day in marked]
    assert lengths == [1, 2, 3, 4, 5, 0, 0, 0]
    assert "E" not in marked[6]["hidden"]
    assert "E" not in window.unprintable(windows[5])


def test_a_window_that_begins_inside_a_block_does_not_print_it() -> None:
    days = [totals(0, E=(3, 100)), totals(1), totals(2)]
    made, marked = window.empty(2), []
    for at, day in enumerate(days):
        marked.append(publication.marked(day, SETTING, made["open"]))
        made = window.advance(made, marked[-1], marked[at - 2] if at == 2 else None)
    assert window.unprintable(made)["E"] == Reason.DIFFERENCING


def test_how_much_a_silent_home_is_given_is_told_in_no_block() -> None:
    quiet = totals(0, draw=(1, 500))
    quiet["additive"]["draw"] = 500
    marked, windows = run([quiet, totals(1)])
    assert "draw" not in marked[0]["open"]
    assert marked[1]["hidden"] == {}
    assert window.unprintable(windows[1]) == {"draw": Reason.GROUP_TOO_SMALL}


def test_a_later_run_hides_what_the_former_hid_and_ends_blocks_only_where_it_did() -> None:
    first, _ = run([totals(0, E=(3, 100)), totals(1, E=(3, 100)), totals(2), totals(3)])
    second, windows = run([totals(at) for at in range(4)], first)
    assert ["E" in day["hidden"] for day in second] == [True, True, True, False]
    assert "E" in window.unprintable(windows[1])
    assert "E" not in window.unprintable(windows[2])


def test_a_maximum_is_told_only_by_a_day_that_is() -> None:
    _, windows = run([totals(0), totals(1, E=(3, 100)), totals(2)])
    assert not window.attained(windows[1], 3, ("I", "E"))
    assert window.attained(windows[1], 3, ("I",))


PRIME = 2**61 - 1


def reduced(row: list[int], basis: dict[int, list[int]]) -> list[int]:
    """A row less what the basis (by leading column) spans of it, modulo a large prime."""
    for column, lead in basis.items():
        factor = row[column]
        if factor:
            row = [(a - factor * b) % PRIME for a, b in zip(row, lead, strict=True)]
    return row


def spanned(rows: list[list[int]]) -> dict[int, list[int]]:
    basis: dict[int, list[int]] = {}
    for row in rows:
        left = reduced(row, basis)
        column = next((at for at, value in enumerate(left) if value), None)
        if column is not None:
            inverse = pow(left[column], -1, PRIME)
            basis[column] = [value * inverse % PRIME for value in left]
    return basis


def equations(marked: list[dict[str, Any]], windows: list[dict[str, Any]]) -> list[list[int]]:
    """All that is known: the identities of each day, the printed days, the printed sums."""
    places = {(at, name): n for n, (at, name) in enumerate(
        (at, name) for at in range(len(marked)) for name in FLOWS
    )}  # fmt: skip

    def row(parts: dict[tuple[int, str], int]) -> list[int]:
        found = [0] * len(places)
        for place, weight in parts.items():
            found[places[place]] = weight % PRIME
        return found

    known = []
    for at, day in enumerate(marked):
        known += [row({(at, name): w for name, w in one.items()}) for one in IDENTITIES]
        known += [row({(at, name): 1}) for name in FLOWS if name not in day["hidden"]]
        secret = window.unprintable(windows[at])
        known += [
            row({(day_before, name): 1 for day_before in range(at + 1)})
            for name in FLOWS
            if name not in secret
        ]
    return known


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(FLOWS), st.sampled_from([(3, 50), (20, 400)]), max_size=3),
        min_size=1,
        max_size=6,
    )
)
def test_no_hidden_number_of_a_day_follows_from_all_that_is_printed(
    days: list[dict[str, tuple[int, int]]],
) -> None:
    """Linear algebra over every identity, printed day and printed sum of every window."""
    marked, windows = run([totals(at, **day) for at, day in enumerate(days)])
    known = equations(marked, windows)
    basis = spanned(known)
    width = len(FLOWS)
    for at, day in enumerate(marked):
        for name in day["hidden"]:
            unit = [0] * (len(marked) * width)
            unit[at * width + FLOWS.index(name)] = 1
            assert any(reduced(unit, basis)), (at, name)


def test_a_number_of_nobody_is_a_plain_zero_and_opens_no_block() -> None:
    none = totals(0, E=(0, 0))
    none["additive"]["E"] = 0
    assert publication.marked(none, SETTING)["open"] == {}
