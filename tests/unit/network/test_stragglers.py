# SPDX-License-Identifier: Apache-2.0
"""Goal: an orderer that answers and takes no part is found, restarted once, and said. Method:
orderers whose heights are lists of answers, and a runtime that writes down what it is asked."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pedchain_fabric.errors import AdminError
from pedchain_network.bringup import stragglers
from pedchain_network.bringup.stragglers import Orderer
from pedchain_network.errors import PartError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.runtime import Runtime
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology
from pedchain_network.watch.doctor import ordering
from pedchain_network.watch.doctor.finding import Severity
from pedchain_network.watch.vitals import Vitals


def telling(*answers: int | None) -> Callable[[], Awaitable[int]]:
    """Heights one after the other, the last for ever; None is no answer."""
    left = list(answers)

    async def height() -> int:
        told = left.pop(0) if len(left) > 1 else left[0]
        if told is None:
            raise AdminError("UNAVAILABLE", "nobody there")
        return told

    return height


async def found(**heights: tuple[int | None, ...]) -> dict[str, int]:
    orderers = [Orderer(name, telling(*answers)) for name, answers in heights.items()]
    return dict(await stragglers.find(orderers, 0.2))


async def test_equally_far_orderers_are_all_well() -> None:
    assert await found(a=(7,), b=(7,), c=(7,)) == {}


async def test_one_that_stands_still_below_the_others_is_found_with_its_height() -> None:
    assert await found(a=(7, 8, 9), b=(7, 8, 9), c=(4,)) == {"c": 4}


async def test_one_that_catches_up_is_left_alone() -> None:
    assert await found(a=(7,), b=(3, 4, 5, 6, 7)) == {}


async def test_it_need_only_reach_what_the_others_had_at_first() -> None:
    assert await found(a=(7, 50), b=(6, 7)) == {}


async def test_one_that_does_not_answer_is_where_it_was() -> None:
    assert await found(a=(7,), b=(5, None)) == {"b": 5}
    assert await found(a=(7,), b=(5, None, 7)) == {}


@dataclass
class Recorder:
    """A runtime of one process per node."""

    did: list[str] = field(default_factory=list)

    def parts(self, state: State, run: Run) -> Sequence[Any]:
        return [SimpleNamespace(name=name, listens={}) for name in ("peer", "a", "c")]

    def stop(self, state: State, run: Run, progress: Progress, only: Collection[str]) -> Run:
        self.did.append(f"stop {list(only)}")
        return run

    def start(
        self, topology: Topology, state: State, run: Run, progress: Progress, only: Collection[str]
    ) -> Run:
        self.did.append(f"start {list(only)}")
        return run


@pytest.fixture
def runtime() -> Recorder:
    return Recorder()


async def mend(
    monkeypatch: pytest.MonkeyPatch, runtime: Recorder, after: tuple[int, ...]
) -> list[str]:
    @asynccontextmanager
    async def nobody(topology: Topology, state: State) -> Any:
        yield ()

    orderers = (Orderer("a", telling(9)), Orderer("c", telling(*after)))
    monkeypatch.setattr(stragglers, "connect", nobody)
    monkeypatch.setattr(stragglers, "of", lambda members, channel: orderers)
    said: list[str] = []
    await stragglers.mend(
        cast("Topology", SimpleNamespace(channel="ped")),
        cast("State", None),
        cast("Runtime", runtime),
        Run("native", "ped"),
        {"c": 4},
        Progress(said.append),
    )
    return said


async def test_it_is_restarted_once_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, runtime: Recorder
) -> None:
    first, last = await mend(monkeypatch, runtime, (4, 9))
    assert runtime.did == ["stop ['c']", "start ['c']"]
    assert "c stands still at height 4 while others go on: restarting it" in first
    assert "c takes part again" in last


async def test_one_that_stays_behind_after_that_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, runtime: Recorder
) -> None:
    async def impatient(attempt: object, part: str, goal: str) -> None:
        raise PartError(part, goal)

    monkeypatch.setattr(stragglers, "until", impatient)
    with pytest.raises(PartError, match="reach height 9, restarted for that already") as raised:
        await mend(monkeypatch, runtime, (4,))
    assert "ped-network logs c" in raised.value.fix


# --- doctor ---


def heights(**told: int | None) -> dict[str, Vitals | None]:
    return {name: None if at is None else Vitals(height=at) for name, at in told.items()}


def test_doctor_names_who_stands_still_while_others_go_on() -> None:
    [finding] = ordering.judge_part(heights(a=9, b=9, c=4), heights(a=12, b=12, c=4))
    assert (finding.severity, finding.subject) == (Severity.FAIL, "c")
    assert "height 4 while the others got from 9 to 12" in finding.what
    assert finding.remedy == "ped-network up restarts it"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 9, "c": 4}, {"a": 12, "c": 5}),  # it catches up
        ({"a": 9, "c": 4}, {"a": 9, "c": 4}),  # nothing was ordered meanwhile
        ({"a": 9, "c": 9}, {"a": 12, "c": 9}),  # a look between two blocks
        ({"a": 9, "c": None}, {"a": 12, "c": None}),  # does not answer: another finding
    ],
)
def test_doctor_takes_nobody_else_for_one(
    before: dict[str, int | None], after: dict[str, int | None]
) -> None:
    assert ordering.judge_part(heights(**before), heights(**after)) == []
