# SPDX-License-Identifier: Apache-2.0
"""The gateway lets certificates go with the energy, cell by cell, and tells a member's month."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_gateway.certifying.following import follow
from pedchain_gateway.ledger.port import Committed, Refused
from pedchain_gateway.market import originmonth

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


class Cells:
    """A district of two cells, issued for three days; `answers` are what steps say, in turn."""

    def __init__(self, done: dict[str, list[int]], **answers: list[bytes]) -> None:
        self.done, self.answers = done, answers
        self.sent: list[tuple[str, ...]] = []

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        told: Any = {
            ("metering-D", "origin:GetIssuing"): {"first": DAYS[0], "last": DAYS[2]},
            ("registry", "GetDistrict"): {"dso": "DSOMSP", "operator": "DMSP"},
        }.get((definition, function))
        if function == "origin:GetFollowed":
            told = {"cells": 2, "done": self.done.get(arguments[0], [])}
        return canonical.encode(told)

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        endorsing: Collection[str] | None = None,
    ) -> Committed:
        assert (definition, function) == ("metering-D", "origin:FollowDay")
        assert transient is not None
        assert list(transient) == ["salt"]
        assert endorsing == ["DSOMSP", "DMSP"]
        self.sent.append(arguments)
        waiting = self.answers.get(f"cell{arguments[1]}", [])
        return Committed("t", waiting.pop(0) if waiting else b"done")


async def test_every_cell_that_is_left_is_followed_by_who_reads_both() -> None:
    cells, said = Cells({DAYS[0]: [0, 1], DAYS[1]: [1]}, cell0=[b"more", b"done"]), []
    ledger: Any = cells
    assert await follow(ledger, "D", said.append) == [DAYS[2], DAYS[1]]
    assert cells.sent == [(DAYS[2], "0"), (DAYS[2], "0"), (DAYS[2], "1"), (DAYS[1], "0")]


async def test_a_cell_that_waits_is_said_and_tried_again_another_time() -> None:
    cells, said = Cells({DAYS[0]: [0, 1], DAYS[1]: [0, 1]}, cell1=[b"waits"]), []
    ledger: Any = cells
    assert await follow(ledger, "D", said.append) == []
    assert said == ["D 2026-01-03 1 cells wait for what can still be sold or shared"]


def asked(pools: Any, given: Any = (), taken: Any = ()) -> Any:
    """Queries of an account with one day; `pools` may be a refusal."""
    day = {"day": DAYS[0], "start": 0, "end": 7_200}

    async def ask(function: str, *_: str, definition: str = "settlement") -> Any:
        if function == "origin:GetPools":
            assert definition == "metering-D"
            if isinstance(pools, Exception):
                raise pools
            return pools
        return {
            "tokens:GetAccount": {"id": "a", "district": "D", "places": {"electricity": {}}},
            "sharing:GetDays": [day],
            "sharing:GetOrigin": {"given": [*given], "taken": [*taken]},
        }[function]

    return ask


async def test_a_month_tells_what_went_and_what_came_certified() -> None:
    taken = [[["market:1", 250, 1_000], ["sharing:s", 100, 300]], "too-early", [["market:1", 9, 9]]]
    pools = {"0": {"market:1": 900, "sharing:s": 200}}
    found = await originmonth.of(asked(pools, [[["market:1", 40, 40]]], taken), "a", "2026-01")
    assert found == {"given_wh": 40, "came_wh": 350, "certified_wh": 225 + 66}


@pytest.mark.parametrize(
    ("pools", "taken", "certified"),
    [(Refused("not-found"), [[["market:1", 5, 5]]], None), (Refused("not-found"), [], 0)],
)
async def test_where_certificates_cannot_be_read_that_is_said(
    pools: Any, taken: Any, certified: int | None
) -> None:
    found = await originmonth.of(asked(pools, taken=taken), "a", "2026-01")
    assert found["certified_wh"] == certified
