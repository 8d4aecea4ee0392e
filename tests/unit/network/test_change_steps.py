# SPDX-License-Identifier: Apache-2.0
"""Steps go on from where an earlier call stopped, and one change at a time is under way."""

from pathlib import Path

import pytest

from pedchain_fabric.admin.refusal import EditRefused
from pedchain_fabric.admin.refusal import Reason as EditReason
from pedchain_network.change import pending, steps
from pedchain_network.change.pending import Pending
from pedchain_network.change.refusal import Reason, translated
from pedchain_network.change.steps import Step
from pedchain_network.errors import ChangeRefusedError, StateError
from pedchain_network.progress import Progress
from pedchain_network.state import State


class Thing:
    """Something a step makes, and may break on."""

    def __init__(self) -> None:
        self.made = False
        self.breaks = False

    async def make(self) -> bool:
        if self.breaks:
            raise StateError("broken")
        was, self.made = self.made, True
        return not was


async def walk(*things: Thing) -> list[str]:
    said: list[str] = []
    told = [Step(f"thing {number}", each.make) for number, each in enumerate(things)]
    await steps.walk(told, Progress(said.append))
    return [line.partition("s  ")[2] for line in said]


async def test_a_second_call_goes_on_where_the_first_broke() -> None:
    first, second = Thing(), Thing()
    second.breaks = True
    with pytest.raises(StateError):
        await walk(first, second)
    second.breaks = False
    assert await walk(first, second) == ["1/2 thing 0, already", "2/2 thing 1"]


ADD = Pending("org add DistrictC --ports 7450", "before", "wanted")


def test_an_unfinished_change_keeps_others_out(tmp_path: Path) -> None:
    state = State(tmp_path)
    pending.begin(state, ADD)
    with pytest.raises(ChangeRefusedError) as refusal:
        pending.begin(state, Pending("orderer add DistrictB", "before", "another"))
    assert refusal.value.reason == Reason.CHANGE_UNFINISHED
    assert "ped-network org add DistrictC --ports 7450" in refusal.value.fix


def test_an_unfinished_change_may_go_on_or_be_undone(tmp_path: Path) -> None:
    state = State(tmp_path)
    pending.begin(state, ADD)
    pending.begin(state, ADD)
    undo = Pending("org remove DistrictC", "wanted", "before")
    pending.begin(state, undo, undoes="org add DistrictC ")
    assert pending.load(state) == undo
    pending.finish(state)
    assert pending.load(state) is None


def test_the_same_command_with_other_options_is_another_change(tmp_path: Path) -> None:
    state = State(tmp_path)
    pending.begin(state, ADD)
    with pytest.raises(ChangeRefusedError):
        pending.begin(state, Pending("org add DistrictC --ports 7550", "before", "other ports"))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    state = State(tmp_path)
    (tmp_path / "change.json").write_text("{")
    with pytest.raises(StateError, match=r"change\.json is damaged"):
        pending.load(state)


@pytest.mark.parametrize("reason", list(EditReason))
def test_what_the_configuration_refuses_has_a_remedy(reason: EditReason) -> None:
    with pytest.raises(ChangeRefusedError) as refusal, translated():
        raise EditRefused(reason, "so it is")
    assert refusal.value.reason == reason
    assert refusal.value.fix


def test_nothing_may_be_half_done_where_a_command_asks_for_that(tmp_path: Path) -> None:
    state = State(tmp_path)
    pending.require_none(state)
    pending.begin(state, ADD)
    with pytest.raises(ChangeRefusedError, match="half done"):
        pending.require_none(state)
