# SPDX-License-Identifier: Apache-2.0
"""A month of the demo's districts with a dozen orders (`make soak`); some days are a scenario."""

import sys
from pathlib import Path

import pytest

from tests.scenarios.flexmonth import A, B, Event
from tests.scenarios.harness import network as make_network
from tests.scenarios.test_flexibility_agents import lived_and_audited

pytestmark = [pytest.mark.serial, pytest.mark.timeout(1_800)]
DAYS = 35
BEST_EFFORT = {"product": "best-effort", "penalty": 0}
MONTH = [
    Event("m-01", 14, 18, {A: 6_000}, notice_hours=26),
    Event("m-02", 15, 12, {B: 6_000}, "up", notice_hours=20),
    Event("m-03", 16, 17, {A: 4_000, B: 6_000}, notice_hours=3),
    Event("m-04", 18, 14, {A: 6_000}, "up", notice_hours=4),
    Event("m-05", 19, 18, {B: 6_000}, notice_hours=5, more=BEST_EFFORT),  # a Saturday
    Event("m-06", 22, 18, {A: 6_000, B: 6_000}, notice_hours=4),
    Event("m-07", 23, 13, {A: 4_000, B: 4_000}, "up", notice_hours=3),
    Event("m-08", 24, 18, {B: 7_000}, more={"rule": "mean10"}, is_guaranteed=True),
    Event("m-09", 25, 8, {A: 4_000}, notice_hours=3, more={"rule": "high4of5"}),
    Event("m-10", 29, 18, {A: 4_000}, notice_hours=4, more={"rule": "high5of10"}),
    Event("m-11", 30, 12, {B: 4_000}, "up", notice_hours=3, more={"rule": "mid8of10"}),
    Event("m-12", 31, 17, {A: 6_000, B: 6_000}, notice_hours=6),
]


async def test_a_month_of_orders_is_followed_settled_and_audited(tmp_path: Path) -> None:
    with make_network("embedded", tmp_path) as consortium:
        consortium.run("up")
        results = await lived_and_audited(consortium, tmp_path, MONTH, DAYS)
    assert len(results) == len(MONTH)
    for event, result in zip(MONTH, results, strict=True):
        sys.stdout.write(f"{event.name} {event.direction} {event.parts} {result}\n")
