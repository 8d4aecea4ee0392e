# SPDX-License-Identifier: Apache-2.0
"""Building cascades (P6) and the DSO's feeder meter, by both implementations."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_domain import balance, dayclose, fold, plausibility, roster
from pedchain_domain.documents import parameters
from tests.oracles import naive
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, KINDS, START, days

GRAIN, POWER = 3600, 10_000
Values = dict[str, dict[int, dict[str, int]]]


def register(chance: random.Random, most: int = 900) -> list[tuple[int, int]]:
    """A register at the day's hours, some of them missing or off the hour."""
    found, value = [], chance.randint(0, 10**6)
    whole = chance.random() < 0.5
    for at in range(START, START + DAY + 1, GRAIN):
        if whole or chance.random() < 0.85:
            late = 0 if whole or at == START + DAY else chance.choice((0, 0, 7, 1_200))
            found.append((at + late, value))
        value += chance.randint(0, most)
    return found


def close(made: Any, found: Values, about: Any) -> Any:
    """The day's totals, as the product makes them."""
    folded = fold.fold(
        homes.rows(found), fold.empty_head(0), days(1), period=1, shard=0, grain=GRAIN
    )
    name = days(1)[0]["day"]
    table = homes.factors()
    closed = dayclose.close_shard(days(1)[0], folded.folds.get(name), made, about, table)
    total = dayclose.add(None, closed.partial)
    return balance.day_totals(total, days(1)[0], about, table)


def into(found: Values, device: str, role: str, readings: list[tuple[int, int]]) -> None:
    for at, wh in readings:
        found.setdefault(device, {}).setdefault(at, {})[role] = wh


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_two_implementations_find_what_a_building_uses_beside_its_units(
    seed: int, count: int, roof: bool
) -> None:
    chance = random.Random(seed)
    made = homes.roster_of({"h": "P6"})
    registers = {role: register(chance, 4_000 if role == "I" else 300) for role in ("I", "E")}
    found: Values = {}
    if roof:
        made = roster.add(made, homes.point("h.GEN", "h", "GEN"))
        made = roster.add(made, homes.device("h.GEN.d", "h.GEN", ("G",)))
        registers["G"] = register(chance)
    for role, readings in registers.items():
        into(found, f"h.{KINDS[role]}.d", role, readings)
    units = [register(chance) for _ in range(count)]
    for number, readings in enumerate(units):
        made = roster.add(made, homes.point(f"h.u{number}", "h", "UNIT"))
        made = roster.add(made, homes.device(f"h.u{number}.d", f"h.u{number}", ("I",)))
        into(found, f"h.u{number}.d", "I", readings)
    additive = close(made, found, homes.district(GRAIN, bound_by_capacity=1))["additive"]
    building = naive.Home("P6", "z1", POWER, registers)
    expected = naive.common(building, units, START, START + DAY, GRAIN)
    names = ("detail.UNIT.common", "detail.UNIT.common_unknown")
    assert tuple(additive.get(name, 0) for name in names) == expected
    assert additive.get("C", 0) == sum(building.energy["C"])


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 2), st.integers(-20, 20))
def test_two_implementations_judge_a_feeder_alike(
    seed: int, count: int, others: int, lost_percent: int
) -> None:
    chance = random.Random(seed)
    made, found, street = roster.empty(0), Values(), []
    for number in range(count):
        one = homes.roster_of({f"h{number}": "P2"})
        for key in ("sites", "points", "devices"):
            made = {**made, key: {**made[key], **one[key]}}
        registers = {role: register(chance) for role in ("I", "E")}
        for role, readings in registers.items():
            into(found, f"h{number}.GCP.d", role, readings)
        street.append(naive.Home("P2", "z1", POWER, registers))
    for home in street:
        naive.settle(home, START, START + DAY, GRAIN)
    lines = []
    for at in range(24):
        net = sum(home.energy["I"][at] - home.energy["E"][at] for home in street)
        net += abs(net) * lost_percent // 100
        lines.append((max(0, net), max(0, -net)))
    made = roster.add(made, homes.site("f", "F0"))
    made = roster.add(made, homes.point("f.p", "f", "FEEDER", p_max_w=100_000))
    made = roster.add(made, homes.device("f.d", "f.p", ("I", "E")))
    for role, column in zip("IE", zip(*lines, strict=True), strict=True):
        into(found, "f.d", role, list(homes.ramp(column, START, GRAIN).items()))
    other_w = 1_000
    about = homes.district(
        GRAIN, bound_by_capacity=1, connections=count + others, other_connection_w=other_w
    )
    totals = close(made, found, about)
    judged = plausibility.judge(totals, days(1)[0], GRAIN, parameters(about))["feeder"]
    residual, within = naive.feeder(street, lines, others, other_w, DAY)
    assert judged["within"] == within
    if judged["kind"] == "balance":
        assert judged["residual_wh"] == residual
        assert not others
