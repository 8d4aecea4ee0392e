# SPDX-License-Identifier: Apache-2.0
"""`up` of one organisation's part: what it does of chaincode by itself."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pedchain_network.bringup import alone
from pedchain_network.change.chaincodeguards import Reason
from pedchain_network.errors import ChangeRefusedError

NAMES = ("registry", "metering-A", "settlement")


class Said:
    """Progress, as it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def step(self, line: str) -> None:
        self.lines.append(line)


def reach() -> Any:
    wanted = [SimpleNamespace(definition=SimpleNamespace(name=name)) for name in NAMES]
    return SimpleNamespace(topology=SimpleNamespace(deployments=wanted))


async def agreed(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> tuple[list[str], list[str]]:
    """What was approved, and said, where approvals take so long, one after the other."""
    waits, approved, said = iter(seconds), [], Said()

    async def approve(_: Any, deployment: Any, __: Any) -> int:
        await asyncio.sleep(next(waits))
        approved.append(deployment.definition.name)
        return 1

    async def commit(*_: Any) -> None:
        raise ChangeRefusedError(Reason.NOT_INSTALLED, "the others have not approved it", "wait")

    monkeypatch.setattr(alone.chaincode, "approve", approve)
    monkeypatch.setattr(alone.chaincode, "commit", commit)
    monkeypatch.setattr(alone, "own_peers", lambda _: ())
    monkeypatch.setattr(alone, "_QUORUM_TIMEOUT_S", 0.05)
    monkeypatch.setattr(alone, "_ORDERED_TIMEOUT_S", 5.0)
    await alone._agree(reach(), said)
    return approved, said.lines


async def test_what_was_ordered_once_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of the others are up: a slow approval must not end it with the rest left undone."""
    approved, _ = await agreed(monkeypatch, 0.0, 0.3, 0.0)
    assert approved == [*NAMES]


@pytest.mark.parametrize(("heard_after", "said"), [(2, {}), (99, {"peer0": "no peers yet"})])
async def test_a_peer_that_has_just_come_up_is_given_time_to_hear_of_the_others(
    monkeypatch: pytest.MonkeyPatch, heard_after: int, said: dict[str, str]
) -> None:
    asked = []

    async def try_endorse(*_: Any) -> str:
        asked.append(1)
        return alone.WORKS if len(asked) > heard_after else "no peers yet"

    monkeypatch.setattr(alone, "try_endorse", try_endorse)
    monkeypatch.setattr(alone, "own_peers", lambda _: [SimpleNamespace(name="peer0")])
    monkeypatch.setattr(alone, "_AGAIN_S", 0.01)
    assert await alone._endorsed(reach(), "registry", 0.1) == said


async def test_where_nothing_is_ordered_that_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    approved, said = await agreed(monkeypatch, 3.0)
    assert approved == []
    assert said == ["registry: nothing is ordered yet: not enough of the others are up"]
