# SPDX-License-Identifier: Apache-2.0
"""The product against the naive second implementation, on random small districts."""

import contextlib
import io
import random
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_domain import balance, certificate, dayclose, fold, numbers, registers, roster, window
from pedchain_domain.documents import parameters
from pedchain_domain.publication import marked
from pedchain_domain.reasons import Reason
from tests.oracles import naive
from tests.unit.domain import homes
from tests.unit.domain.homes import DAY, KINDS, START

RULES = Path(__file__).parents[1] / "vectors" / "rules"
POWER = 10_000


@st.composite
def readings(draw: st.DrawFn, grain: int) -> list[tuple[int, int]]:
    """A register read around the boundaries of a day and a bit beyond, with gaps and strays."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    found, value = [], chance.randint(0, 10**6)
    whole = chance.random() < 0.4
    for at in range(START - 3 * grain, START + DAY + 3 * grain + 1, grain):
        value += chance.choice((0, chance.randint(0, POWER * grain // 9_000)))
        if whole or chance.random() < 0.9:
            late = 0 if whole else chance.choice((0, 0, 5, -7, grain // 100, grain // 3))
            found.append((at + late, value))
    return found


@st.composite
def districts(draw: st.DrawFn) -> tuple[int, list[naive.Home], list[int]]:
    grain = draw(st.sampled_from([900, 3600]))
    plans = draw(st.lists(st.sampled_from(["P0", "P1", "P2", "P3", "P5"]), min_size=1, max_size=4))
    made = [
        naive.Home(
            plan,
            draw(st.sampled_from(["z1", "z2"])),
            POWER,
            {role: draw(readings(grain)) for role in naive.NEEDED[plan].split()},
        )
        for plan in plans
    ]
    return grain, made, draw(st.lists(st.integers(0, 900), min_size=24, max_size=24))


def product(
    grain: int, street: list[naive.Home], ci: list[int]
) -> tuple[dict[str, int], dict[str, Any]]:
    """The same day through folds, closes, totals and certificate."""
    made = roster.empty(0)
    instants: dict[str, dict[int, dict[str, int]]] = {}
    for number, home in enumerate(street):
        name = f"h{number}"
        extra = {"unmetered_generation_w": 800} if home.plan == "P5" else {}
        one = homes.roster_of({name: "P1" if extra else home.plan}, zone=home.zone)
        one["sites"][name] |= {"plan": home.plan, **extra}
        made = {
            **made,
            **{key: {**made[key], **one[key]} for key in ("sites", "points", "devices")},
        }
        for role, found in home.registers.items():
            for at, wh in found:
                device = f"{name}.{KINDS[role]}.d"
                instants.setdefault(device, {}).setdefault(at, {})[role] = wh
    about = homes.district(grain, bound_by_capacity=1, group_sites=0, group_share_percent=10**6)
    days = homes.days(3, START - DAY)
    folded = fold.fold(
        homes.rows(instants), fold.empty_head(0), days, period=1, shard=0, grain=grain
    )
    closed = dayclose.close_shard(
        days[1],
        folded.folds.get(days[1]["day"]),
        made,
        about,
        homes.factors(ci),
        before=[folded.edges[days[0]["day"]]] if days[0]["day"] in folded.edges else (),
        after=[folded.edges[days[2]["day"]]] if days[2]["day"] in folded.edges else (),
    )
    totals = balance.day_totals(
        dayclose.add(None, closed.partial), days[1], about, homes.factors(ci)
    )
    totals = marked(totals, parameters(about))
    filled = window.advance(window.empty(365), totals)
    return totals["additive"], certificate.build(about, days[1], "P", totals, filled, "00" * 32)


@settings(max_examples=60)
@given(districts())
def test_two_implementations_give_the_same_day(
    drawn: tuple[int, list[naive.Home], list[int]],
) -> None:
    grain, street, ci = drawn
    additive, document = product(grain, street, ci)
    expected = naive.district(street, START, START + DAY, grain, ci)
    names = {"avoided": "co2_electricity"}
    for name in (
        "I",
        "E",
        "G",
        "C",
        "Ch",
        "D",
        "residual",
        "shared",
        "X",
        "Y",
        "draw",
        "ghg",
        "avoided",
    ):
        assert additive.get(names.get(name, name), 0) == expected[name], name
    assert document["coverage"]["energy_ppm"] == expected["energy_coverage"]
    assert document["coverage"]["profile_ppm"] == expected["profile_coverage"]
    shown = document["indicators"]
    assert shown["oer_ppm"] == expected["oer"]
    if (expected["profile_coverage"] or 0) >= 950_000:
        assert shown["amr_ppm"] == expected["amr"]
        assert shown["gii_ppm"] == expected["gii"]
        pairs = {"sc": "self_consumption_ppm", "ss": "self_sufficiency_ppm",
                 "sc_site": "self_consumption_site_ppm"}  # fmt: skip
        for name, printed in pairs.items():
            value = expected[name]
            clipped = None if value is None else min(10**6, max(0, value))
            assert shown[printed] == clipped
    identity = additive.get("I", 0) + additive.get("G", 0) + additive.get("D", 0)
    assert identity == sum(additive.get(name, 0) for name in ("C", "E", "Ch", "residual"))


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    """The worked examples of the rules, run; their output is what the rules print."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        names = runpy.run_path(str(RULES / "examples.py.txt"))
    assert printed.getvalue() == (RULES / "expected.txt").read_text()
    return names


def test_the_rules_script_and_the_product_split_alike(examples: dict[str, Any]) -> None:
    weights = {"b": 3, "a": 3, "c": 0, "d": 7}
    for total in (-1_000, -7, 0, 1, 5, 10**9 + 7):
        assert examples["split"](total, weights) == numbers.split(total, weights)
        assert examples["split"](total, {"a": 0}) == numbers.split(total, {"a": 0})


def test_the_rules_script_and_the_product_read_registers_alike(examples: dict[str, Any]) -> None:
    for text in ("1234.56", "0.0", "1.0004", "12.345", "99999999.999999"):
        for num, den in ((1, 1), (50, 1), (7, 3)):
            for unit in ("Wh", "kWh"):
                ours = registers.to_whole(text, registers.OCMF_UNITS[unit], num, den)
                assert ours == examples["wh"](text, unit, num, den)


def test_the_rules_script_and_the_product_roll_over_alike(examples: dict[str, Any]) -> None:
    for before in (0, 52_000, 900_000_000, 900_000_001, 999_999_800):
        for after in (0, 40, 300, 99_999_999, 100_000_000, 999_999_900):
            ours = registers.rise(before, after, 5_100, 10**9)
            theirs = examples["rollover"](before, after, 10**9, 5_100)
            assert ours == (Reason(theirs) if isinstance(theirs, str) else theirs)
