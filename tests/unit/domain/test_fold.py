# SPDX-License-Identifier: Apache-2.0
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import canonical, columns, fold, limits
from pedchain_domain.reasons import Reason, status_of
from tests.unit.domain.homes import DAY, START, days, row

DAYS = days(3)


def step(
    rows: list[list[Any]], head: dict[str, Any] | None = None, period: int = 1, **kw: Any
) -> fold.Folded:
    before = fold.empty_head(0) if head is None else head
    return fold.fold(rows, before, DAYS, period=period, shard=0, grain=900, **kw)


def reading(counter: int, instant: int, value: int, tag: str = "") -> list[Any]:
    return row("d1", counter, [(instant, "I", value)], tag=tag)


def verdict(found: fold.Folded, counter: int) -> Reason | None:
    return fold.verdict_of(found.trail, "d1", counter)


def test_records_are_ordered_by_counter_and_filed_by_delivery_day() -> None:
    rows = [
        reading(3, START + DAY + 900, 30),
        reading(2, START + 1800, 20),
        reading(1, START + 900, 10),
    ]
    found = step(rows)
    assert list(found.folds) == ["2026-01-01", "2026-01-02"]
    series = found.folds["2026-01-01"]["series"]["d1"]
    assert series == {"t": [START + 900, START + 1800], "I": [10, 20]}
    assert found.head["devices"]["d1"] == [3, [[0, 0]], [[1, 1, 3]]]
    assert [verdict(found, counter) for counter in (1, 2, 3, 4)] == [Reason.RECORDED] * 3 + [None]


def test_a_register_at_midnight_stands_in_both_days() -> None:
    found = step([reading(1, START + DAY + 5, 10)])
    assert [one["series"]["d1"]["t"] for one in found.folds.values()] == [[START + DAY + 5]] * 2


def test_the_same_payload_again_is_a_duplicate() -> None:
    found = step([reading(1, START, 10), reading(1, START, 10)])
    assert found.trail["duplicates"] == {"d1": 1}
    assert len(found.trail["devices"]["d1"]) == 1


def test_of_two_payloads_brought_together_under_a_counter_neither_counts() -> None:
    rows = [reading(1, START, 10), reading(1, START, 99, "forged"), reading(1, START, 10)]
    for order in (rows, rows[::-1]):
        found = step(order)
        assert found.folds == {}
        assert [entry[2] for entry in found.trail["devices"]["d1"]] == [
            status_of(Reason.CONFLICT)
        ] * 2
        assert verdict(found, 1) == Reason.CONFLICT
        assert found.trail["duplicates"] == {"d1": 1}


def test_a_later_period_asks_for_the_trails_it_needs() -> None:
    first = step([reading(1, START, 10), reading(2, START + 900, 20)])
    rows = [reading(2, START + 900, 20), reading(1, START, 11, "x"), reading(3, START + 1800, 30)]
    assert fold.late(rows, first.head) == [1]
    known = fold.known([first.trail])
    second = step(rows, first.head, 2, known=known)
    assert second.trail["duplicates"] == {"d1": 1}
    assert verdict(second, 1) == Reason.CONFLICT
    assert verdict(second, 3) == Reason.RECORDED
    assert second.head["devices"]["d1"][2] == [[1, 1, 2], [2, 3, 3]]


def test_a_payload_of_an_earlier_period_stands_against_later_ones() -> None:
    first = step([reading(1, START, 10)])
    later = [reading(1, START, 11, "x"), reading(1, START, 10)]
    second = step(later, first.head, 2, known=fold.known([first.trail]))
    assert verdict(second, 1) == Reason.CONFLICT
    assert second.trail["duplicates"] == {"d1": 1}
    both = fold.known([first.trail, second.trail])
    assert both == fold.known([first.trail])


def test_a_contested_counter_stays_contested() -> None:
    first = step([reading(1, START, 10), reading(1, START, 11, "x")])
    known = fold.known([first.trail])
    for tag in ("", "x", "y"):
        again = step([reading(1, START, 10, tag)], first.head, 3, known=known)
        assert verdict(again, 1) == Reason.CONFLICT
        assert again.folds == {}


def test_an_old_counter_nobody_can_look_up_does_not_count() -> None:
    first = step([reading(1, START, 10)])
    second = step([reading(1, START, 10)], first.head, 2)
    assert verdict(second, 1) == Reason.COUNTER_TOO_OLD
    assert second.folds == {}


def test_a_gap_is_kept_and_may_be_filled_later() -> None:
    first = step([reading(5, START, 10), reading(9, START + 1800, 20)])
    assert first.trail["gaps"] == {"d1": [[0, 4], [6, 8]]}
    second = step([reading(7, START + 900, 15)], first.head, 2)
    assert second.head["devices"]["d1"][:2] == [9, [[0, 4], [6, 6], [8, 8]]]
    assert verdict(second, 7) == Reason.RECORDED


def test_of_too_many_gaps_the_oldest_are_closed() -> None:
    rows = [reading(counter * 2, START, 1) for counter in range(limits.OPEN_GAPS + 2)]
    found = step(rows)
    gaps = found.head["devices"]["d1"][1]
    assert len(gaps) == limits.OPEN_GAPS
    assert gaps[0] == [3, 3]
    late = step([reading(1, START, 1)], found.head, 2)
    assert verdict(late, 1) == Reason.COUNTER_TOO_OLD


def test_a_day_without_a_calendar_row_is_not_filed() -> None:
    found = step([reading(1, START - DAY, 10)])
    assert verdict(found, 1) == Reason.NO_CALENDAR
    assert found.folds == {}


def test_a_record_without_certifiable_readings_uses_its_counter_only() -> None:
    found = step([row("d1", 1, [], status=1)])
    assert verdict(found, 1) == Reason.NOT_CERTIFIABLE
    assert found.head["devices"]["d1"][0] == 1
    assert found.folds == {}


def test_substitutes_are_marked() -> None:
    one = row("d1", 1, [(START, "I", 5)])
    one[5] = columns.of([], [(START, "I", 5)])
    assert step([one]).folds["2026-01-01"]["series"]["d1"] == {"t": [START], "I": [5], "s": [START]}


def test_a_head_given_in_is_not_changed() -> None:
    first = step([reading(5, START, 10)])
    before = canonical.encode(first.head)
    step([reading(3, START, 9), reading(8, START + 900, 20)], first.head, 2)
    assert canonical.encode(first.head) == before


def test_edges_are_the_outermost_registers_over_periods() -> None:
    rows = [reading(1, START + 900, 10), reading(2, START + 1800, 20), reading(3, START + 2700, 30)]
    first, second = step(rows[1:2]), step([rows[0], rows[2]], period=2)
    merged = fold.merge_edges([first.edges["2026-01-01"], second.edges["2026-01-01"]])
    assert merged["series"]["d1"]["I"] == [START + 900, 10, START + 2700, 30]


DEVICES, TAGS = st.sampled_from(["d1", "d2"]), st.sampled_from(["", "x"])
ROWS = st.lists(st.tuples(DEVICES, st.integers(0, 12), st.integers(0, 40), TAGS), max_size=25)


@given(ROWS, st.randoms(use_true_random=False))
def test_what_is_certified_does_not_depend_on_the_order_of_arrival(
    drawn: list[tuple[str, int, int, str]], chance: random.Random
) -> None:
    rows = [
        row(
            device, counter, [(START + 900 * counter, role, place) for role in "IE"], tag=f"{place}"
        )
        for device, counter, place, _ in drawn
    ]
    other = list(rows)
    chance.shuffle(other)
    first, second = step(rows), step(other)
    assert first.head["devices"] == second.head["devices"]
    assert {day: one["series"] for day, one in first.folds.items()} == {
        day: one["series"] for day, one in second.folds.items()
    }


@given(ROWS, st.integers(0, 12))
def test_devices_of_a_period_may_be_folded_apart(
    drawn: list[tuple[str, int, int, str]], cut: int
) -> None:
    """Periods one after the other merge to what one period with all of it gives, if no counter
    comes twice."""
    counters = {(device, counter): place for device, counter, place, _ in drawn}
    rows = [
        row(device, counter, [(START + place * 900, role, 100 * counter) for role in "IE"])
        for (device, counter), place in sorted(counters.items())
    ]
    whole, first = step(rows), step(rows[:cut])
    second = step(rows[cut:], first.head, 2)
    merged = fold.merge_trails([first.trail, second.trail])
    assert whole.trail["devices"] == merged["devices"]
    for day, document in whole.folds.items():
        parts = [one.folds[day] for one in (first, second) if day in one.folds]
        assert fold.merge(parts)["series"] == document["series"]
        edges = [one.edges[day] for one in (first, second) if day in one.edges]
        assert fold.merge_edges(edges)["series"] == whole.edges[day]["series"]


@given(ROWS)
def test_every_document_of_a_fold_is_canonical(drawn: list[tuple[str, int, int, str]]) -> None:
    rows = [row(d, c, [(START + p * 900, "I", c)], tag=tag) for d, c, p, tag in drawn]
    found = step(rows)
    for document in (found.head, found.trail, *found.folds.values(), *found.edges.values()):
        assert canonical.decode_canonical(canonical.encode(document)) == document
        assert len(document["salt"]) == 32


def substitute(counter: int, wh: int) -> list[Any]:
    found = row("dso.d", counter, [(START, "I", wh)])
    return [*found[:5], columns.of([], [(START, "I", wh)])]


def test_a_later_substitute_of_the_dso_corrects_an_earlier_register() -> None:
    """In one period or in two; the trail keeps both records (R8: corrections supersede visibly)."""
    rows = [row("dso.d", 1, [(START, "I", 50)]), substitute(2, 60), substitute(3, 70)]
    one = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=3600)
    head, folds = fold.empty_head(0), []
    for period, each in enumerate(rows, 1):
        folds.append(fold.fold([each], head, days(1), period=period, shard=0, grain=3600))
        head = folds[-1].head
    merged = fold.merge([each.folds["2026-01-01"] for each in folds])
    for series in (one.folds["2026-01-01"]["series"], merged["series"]):
        assert series["dso.d"] == {"t": [START], "I": [70], "s": [START]}
    assert [entry[0] for entry in one.trail["devices"]["dso.d"]] == [1, 2, 3]


def test_a_meter_does_not_rewrite_what_it_said() -> None:
    rows = [row("h.d", 1, [(START, "I", 50)]), row("h.d", 2, [(START, "I", 40)])]
    folded = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=3600)
    assert folded.folds["2026-01-01"]["series"]["h.d"]["I"] == [50]
