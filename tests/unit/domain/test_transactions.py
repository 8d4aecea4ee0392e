# SPDX-License-Identifier: Apache-2.0
"""Charging transactions: OCMF `T` records become detail by interval (rules R7)."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import columns, dayclose, fold, ocmf, roster, transactions
from pedchain_domain.intervals import Register
from pedchain_domain.reasons import Reason
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, START, days
from tests.unit.domain.test_readings import device, judge

CHARGER = Register(22_000)
HOUR = 3600


def charged(*knots: tuple[int, int], counter: int = 1) -> list[Any]:
    return [counter, "Ch", [list(knot) for knot in knots]]


def of_day(*found: list[Any], grain: int = 900, day: int = 0) -> Any:
    return transactions.series(found, "Ch", days(2)[day], grain, CHARGER)


def test_the_rules_example_is_spread_by_seconds() -> None:
    """18:07:30 to 18:52:30, 9,001 Wh."""
    found = of_day(charged((START + 65_250, 100), (START + 67_950, 9_101)))
    assert found.values[72:76] == [1500, 3001, 3000, 1500]
    assert found.classes[72:76] == "GGGG"
    assert (sum(found.values), found.classes[71]) == (9_001, "X")


def test_registers_on_the_boundaries_make_it_measured() -> None:
    at = START + 20 * 900
    found = of_day(charged((at - 300, 0), (at, 400), (at + 900, 1_900), (at + 1_000, 2_000)))
    assert found.values[19:22] == [400, 1_500, 100]
    assert found.classes[19:22] == "GMG"


def test_a_transaction_over_midnight_is_divided_between_its_days() -> None:
    one = charged((START + DAY - 1_800, 0), (START + DAY + 900, 3_000))
    assert sum(of_day(one).values) == 2_000
    assert sum(of_day(one, day=1).values) == 1_000


def test_an_overlapping_an_impossible_or_a_falling_transaction_is_set_aside() -> None:
    first = charged((START, 0), (START + HOUR, 5_000))
    cases = {
        Reason.OVERLAPPING: charged((START + 1_800, 0), (START + 5_400, 5_000), counter=2),
        Reason.SPIKE: charged((START + 7_200, 0), (START + 7_260, 5_000), counter=2),
        Reason.DECREASE: charged((START + 7_200, 9), (START + 7_260, 5), counter=2),
    }
    for reason, second in cases.items():
        found = of_day(second, first)
        assert [one for one, _ in found.findings] == [reason]
        assert sum(found.values) == 5_000


@given(
    st.lists(st.tuples(st.integers(1, 4_000), st.integers(0, 200)), min_size=1, max_size=8),
    st.integers(0, DAY),
    st.sampled_from([900, 3600]),
)
def test_no_watt_hour_is_lost_or_made(steps: list[tuple[int, int]], begin: int, grain: int) -> None:
    knots = [(START + begin, 7)]
    for seconds, wh in steps:
        knots.append((knots[-1][0] + seconds, knots[-1][1] + wh))
    register = Register(10**9)
    whole = [[1, "Ch", [list(knot) for knot in knots]]]
    found = [transactions.series(whole, "Ch", day, grain, register) for day in days(2)]
    assert sum(sum(one.values) for one in found if one) == knots[-1][1] - 7


def transaction(*readings_of: tuple[int, str, str], pagination: str = "T7", **fields: str) -> bytes:
    payload = json.loads(
        ocmf.build(
            device="m1",
            counter=7,
            readings=[(at, "1-0:1.8.0*255", wh, "Wh") for at, _, wh in readings_of],
            network="n1",
            channel="ped",
        )
    )
    payload["PG"] = pagination
    for entry, (_, reason, _) in zip(payload["RD"], readings_of, strict=True):
        entry["TX"] = reason
    payload["RD"][0].update(fields)
    return json.dumps(payload).encode()


def test_a_whole_transaction_is_kept_as_detail_and_never_certifiable() -> None:
    begin, end = START + 900, START + 1_800
    status, row, doubts = judge(transaction((begin, "B", "5"), (end, "E", "900")), device())
    assert (status, doubts) == (Reason.NOT_CERTIFIABLE, (Reason.TRANSACTION_CONTEXT,))
    assert row is not None
    assert (row[0], row[1]) == ("m1/T", 7)
    assert row[5] == {"t": [begin, end], "I": [5, 900]}


def test_half_a_transaction_or_a_doubtful_one_charges_nothing() -> None:
    begin, end = START + 900, START + 1_800
    for payload in (
        transaction((begin, "B", "5")),
        transaction((begin, "E", "5"), (end, "B", "900")),
        transaction((begin, "B", "5"), (end, "E", "900"), ST="E"),
    ):
        row = judge(payload, device()).row
        assert row is not None
        assert row[5] == {"t": []}


def test_transactions_are_counted_apart_and_their_key_is_the_newest() -> None:
    """Nobody can tell which generation of keys a transaction's counter belongs to."""
    payload = transaction((START, "B", "5"), (START + 900, "E", "9"), pagination="T1")
    assert judge(payload, device()).status == Reason.NOT_CERTIFIABLE  # F counters begin with 5
    assert judge(payload, device(revoked=900)).status == Reason.REVOKED_KEY


def charger() -> dict[str, Any]:
    made = roster.add(homes.roster_of({"h": "P0"}), homes.point("h.EV", "h", "EVSE"))
    return roster.add(made, homes.device("h.EV.d", "h.EV", ("Ch",)))


def closed(rows: list[list[Any]], made: dict[str, Any], known: list[Any] | None = None) -> Any:
    folds = known or [fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=HOUR)]
    merged = fold.merge([one.folds["2026-01-01"] for one in folds])
    kept = roster.without_doubtful(merged, made)
    return dayclose.close_shard(days(1)[0], kept, made, homes.district(), homes.factors())


def row(counter: int, *knots: tuple[int, int]) -> list[Any]:
    found = homes.row("h.EV.d/T", counter, [], status=1)
    return [*found[:5], columns.in_order((at, "Ch", wh) for at, wh in knots)]


def test_a_charger_that_only_tells_transactions_is_detail_on_the_certificate() -> None:
    made = charger()
    done = closed([row(1, (START + 1_800, 0), (START + 5_400, 6_000))], made)
    assert done.partial["detail"] == {"EVSE.Ch": 6_000}
    assert done.partial["profiles"]["EV"][:2] == [3_000, 3_000]
    assert done.partial["classes"]["G"] == 0
    assert done.intervals["points"]["h.EV"]["registers"]["Ch"][1][:3] == "GGX"


def test_registers_stand_before_transactions_of_the_same_charger() -> None:
    rows = [row(1, (START, 0), (START + HOUR, 6_000))]
    ramp = homes.ramp([5_900] + [0] * 23, START, HOUR)
    rows += homes.rows({"h.EV.d": {at: {"Ch": wh} for at, wh in ramp.items()}})
    assert closed(rows, charger()).partial["detail"] == {"EVSE.Ch": 5_900}


def test_transactions_and_registers_use_no_counter_of_each_other_up() -> None:
    rows = [row(1, (START, 0), (START + HOUR, 60))]
    rows += homes.rows({"h.EV.d": {START: {"Ch": 1}}})
    folded = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=HOUR)
    assert fold.verdict_of(folded.trail, "h.EV.d", 1) == Reason.RECORDED
    assert fold.verdict_of(folded.trail, "h.EV.d/T", 1) == Reason.NOT_CERTIFIABLE


def test_transactions_of_several_periods_merge_and_doubtful_ones_are_left_out() -> None:
    head, made, folds = fold.empty_head(0), charger(), []
    for period in (1, 2):
        begin = START + period * 7_200
        rows = [row(period, (begin, 0), (begin + HOUR, 1_000 * period))]
        folds.append(fold.fold(rows, head, days(1), period=period, shard=0, grain=HOUR))
        head = folds[-1].head
    assert closed([], made, folds).partial["detail"] == {"EVSE.Ch": 3_000}
    doubted = {**made, "compromised": {"h.EV.d": START + 4 * HOUR}}
    assert closed([], doubted, folds).partial["detail"] == {"EVSE.Ch": 1_000}


def test_a_transaction_on_a_day_without_a_calendar_is_not_filed() -> None:
    rows = [row(1, (START + 9 * DAY, 0), (START + 9 * DAY + 60, 1))]
    folded = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=HOUR)
    assert fold.verdict_of(folded.trail, "h.EV.d/T", 1) == Reason.NO_CALENDAR


def test_a_row_name_is_no_plain_device() -> None:
    assert transactions.device_of("m1") is None
    assert transactions.device_of(transactions.row_name("m1")) == "m1"
