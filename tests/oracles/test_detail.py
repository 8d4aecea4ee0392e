# SPDX-License-Identifier: Apache-2.0
"""What stands below the grid connections, by both implementations: transactions (R7), GHG (I9)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_domain import balance, dayclose, fold, roster, transactions
from pedchain_domain.intervals import Register
from tests.oracles import naive
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, START, days, registers_of

STEPS = st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 500)), min_size=1, max_size=6)


@given(STEPS, st.integers(-3_600, DAY), st.sampled_from([900, 3600]))
def test_two_implementations_spread_a_transaction_alike(
    steps: list[tuple[int, int]], begin: int, grain: int
) -> None:
    knots = [(START + begin, 11)]
    for seconds, wh in steps:
        knots.append((knots[-1][0] + seconds, knots[-1][1] + wh))
    whole = [[1, "Ch", [list(knot) for knot in knots]]]
    found = transactions.series(whole, "Ch", days(1)[0], grain, Register(10**9))
    assert found is not None
    assert found.values == naive.charged(knots, START, START + DAY, grain)


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 900), min_size=24, max_size=24),
    st.lists(st.integers(0, 500), min_size=24, max_size=24),
    st.lists(st.integers(0, 400), min_size=24, max_size=24),
    st.integers(0, 50_000),
)
def test_two_implementations_balance_greenhouse_gases_alike(
    drawn: list[int], heat: list[int], ci: list[int], metres: int
) -> None:
    made = homes.roster_of({"h": "P0"}, combustion_m_per_day=metres)
    made = roster.add(made, homes.point("h.q", "h", "HEAT_IN"))
    made = roster.add(made, homes.device("h.q.d", "h.q", ("Q",)))
    registers = registers_of({"h": {"I": drawn}})
    warmed = homes.ramp(heat, START, 3600)
    registers["h.q.d"] = {at: {"Q": wh} for at, wh in warmed.items()}
    rows = homes.rows(registers)
    folded = fold.fold(rows, fold.empty_head(0), days(1), period=1, shard=0, grain=3600)
    table = homes.factors(ci)
    table["reference"] = {"network_heat_ug_per_wh": 120_000, "km_ug_per_m": 150_000}
    about = homes.district()
    closed = dayclose.close_shard(days(1)[0], folded.folds["2026-01-01"], made, about, table)
    total = dayclose.add(None, closed.partial)
    additive = balance.day_totals(total, days(1)[0], about, table)["additive"]
    expected = naive.greenhouse(drawn, ci, sum(heat), 120_000, metres, 150_000)
    assert additive.get("ghg", 0) == expected
