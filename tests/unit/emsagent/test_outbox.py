# SPDX-License-Identifier: Apache-2.0
"""The outbox loses nothing, repeats no counter, and says so when it is full."""

from pathlib import Path

import pytest

from emsagent.errors import DeviceBlocked, OutboxBusy, OutboxFull, OutboxMissing, StateRegressed
from emsagent.outbox import Draft, Outbox, State, Verdict


def draft(counter: int, device: str = "meter") -> Draft:
    return Draft(device, counter, b"payload %d" % counter, last_instant=counter * 900)


@pytest.fixture
def outbox(tmp_path: Path):
    with Outbox(tmp_path / "home.sqlite", records_max=3) as opened:
        yield opened


def test_a_counter_is_on_the_disk_before_anything_is_signed(tmp_path: Path) -> None:
    with Outbox(tmp_path / "home.sqlite") as outbox:
        outbox.reserve([draft(1)])
    with Outbox(tmp_path / "home.sqlite") as outbox:
        assert outbox.counters() == {"meter": 1}
        assert [entry.content for entry in outbox.unsigned()] == [b"payload 1"]
        assert outbox.due(10) == []


def test_counters_go_up_by_one_and_nothing_else(outbox: Outbox) -> None:
    outbox.reserve([draft(1), draft(2)])
    for wrong in (2, 4):
        with pytest.raises(StateRegressed):
            outbox.reserve([draft(wrong)])
    assert outbox.counters() == {"meter": 2}
    assert len(outbox.unsigned()) == 2


def test_the_signed_bytes_replace_the_payload_once(outbox: Outbox) -> None:
    outbox.reserve([draft(1)])
    (entry,) = outbox.unsigned()
    outbox.store_signed([(entry.id, b"signed once")])
    outbox.store_signed([(entry.id, b"signed twice")])
    assert [due.content for due in outbox.due(10)] == [b"signed once"]


def test_a_full_outbox_refuses_the_new_and_keeps_the_old(outbox: Outbox) -> None:
    outbox.reserve([draft(1), draft(2), draft(3)])
    with pytest.raises(OutboxFull):
        outbox.reserve([draft(4)])
    assert outbox.counters() == {"meter": 3}
    outbox.store_signed([(entry.id, b"signed") for entry in outbox.unsigned()])
    outbox.settle([Verdict(outbox.due(1)[0].id, State.RECORDED)])
    outbox.reserve([draft(4)])
    assert outbox.room() == 0


def test_only_an_answer_settles_a_record(outbox: Outbox) -> None:
    outbox.reserve([draft(1)])
    outbox.store_signed([(entry.id, b"signed") for entry in outbox.unsigned()])
    (entry,) = outbox.due(10)
    for attempt in (1, 2):
        outbox.note_attempt([entry.id])
        assert outbox.due(10)[0].attempts == attempt
    outbox.settle([Verdict(entry.id, State.RECORDED, receipt="tx")])
    assert outbox.due(10) == []
    outbox.settle([Verdict(entry.id, State.REJECTED, "late")])
    assert outbox.counts()[State.RECORDED] == 1


def test_a_conflict_blocks_the_device_and_no_other(outbox: Outbox) -> None:
    outbox.reserve([draft(1), draft(1, "other")])
    outbox.store_signed([(entry.id, b"signed") for entry in outbox.unsigned()])
    outbox.settle([Verdict(outbox.due(1)[0].id, State.CONFLICT, "conflict")])
    with pytest.raises(DeviceBlocked, match="counter 1"):
        outbox.check_unblocked("meter")
    outbox.check_unblocked("other")


def test_two_processes_never_share_an_outbox(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(OutboxBusy):
        Outbox(tmp_path / "home.sqlite")


def test_status_can_look_beside_a_running_agent(outbox: Outbox, tmp_path: Path) -> None:
    outbox.reserve([draft(1)])
    with Outbox(tmp_path / "home.sqlite", looking=True) as looking:
        assert looking.counts()[State.RESERVED] == 1
    with pytest.raises(OutboxMissing):
        Outbox(tmp_path / "other.sqlite", looking=True)


def test_an_alarm_is_told_once(outbox: Outbox) -> None:
    assert outbox.raise_alarm(1, "rejected", "meter counter 1")
    assert not outbox.raise_alarm(2, "rejected", "meter counter 1")
    assert outbox.alarms() == [(1, "rejected", "meter counter 1")]


def test_a_pause_outlives_a_restart(tmp_path: Path) -> None:
    with Outbox(tmp_path / "home.sqlite") as outbox:
        outbox.set_pause(3, 99_000)
    with Outbox(tmp_path / "home.sqlite") as outbox:
        assert outbox.pause() == (3, 99_000)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home.sqlite").write_bytes(b"not a database, but long enough to be read as one")
    with pytest.raises(StateRegressed, match="damaged"):
        Outbox(tmp_path / "home.sqlite")


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with Outbox(tmp_path / "home.sqlite") as outbox:
        outbox._db.execute("PRAGMA user_version = 99")
    with pytest.raises(StateRegressed, match="99"):
        Outbox(tmp_path / "home.sqlite")


@pytest.mark.fault(34)
def test_a_disk_that_takes_nothing_is_said_aloud(outbox: Outbox) -> None:
    """A full or read-only disk: the reading is refused, what is stored stays."""
    outbox.reserve([draft(1)])
    outbox._db.execute("PRAGMA query_only = ON")
    with pytest.raises(OutboxFull, match="cannot be written"):
        outbox.reserve([draft(2)])
    outbox._db.execute("PRAGMA query_only = OFF")
    assert outbox.counters() == {"meter": 1}
