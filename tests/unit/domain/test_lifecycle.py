# SPDX-License-Identifier: Apache-2.0
"""A device's life: whatever is tried in whatever order, it goes only where its state allows."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pedchain_domain import documents, lifecycle, roster
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes

NAME, NEXT = "h.GCP.d", "h.GCP.e"
KEYS = [
    {"alg": "ES256", "spki": homes.SPKI},
]
Document = dict[str, Any]


def fresh() -> Document:
    made = homes.roster_of({"h": "P0"})
    return roster.add(made, homes.device(NEXT, "h.GCP", ("I",), **{"from": 500}))


def suspend(begun: int) -> Document:
    return {"schema": "suspend/1", "device": NAME, "from": begun}


def resume(at: int) -> Document:
    return {"schema": "resume/1", "device": NAME, "at": at}


def revoke(counter: int) -> Document:
    return {"schema": "revoke/1", "device": NAME, "counter": counter}


def rotate(counter: int) -> Document:
    return {"schema": "rotate/1", "device": NAME, "key": KEYS[0], "first_counter": counter}


EXCHANGE = {
    "schema": "exchange/1",
    "point": "h.GCP",
    "old": NAME,
    "final": {"I": 9},
    "new": NEXT,
    "initial": {"I": 0},
    "at": 500,
}


def refused(made: Document, change: Document, reason: Reason) -> None:
    with pytest.raises(DomainError) as caught:
        roster.add(made, change)
    assert caught.value.reason == reason


def state(made: Document) -> str:
    return lifecycle.state_of(made["devices"][NAME])


def test_what_is_measured_while_suspended_is_told_apart() -> None:
    made = roster.add(fresh(), suspend(100))
    assert state(made) == "suspended"
    assert roster.add(made, suspend(100)) is made
    made = roster.add(made, resume(200))
    about = made["devices"][NAME]
    assert [lifecycle.suspended_at(about, at) for at in (99, 100, 199, 200)] == [
        False,
        True,
        True,
        False,
    ]
    assert roster.add(made, resume(200)) is made
    again = roster.add(made, suspend(300))
    assert lifecycle.suspended_at(again["devices"][NAME], 10_000)


def test_suspensions_do_not_overlap_and_end_after_they_begin() -> None:
    made = roster.add(fresh(), suspend(100))
    refused(made, resume(100), Reason.MALFORMED_DOCUMENT)
    made = roster.add(made, resume(200))
    refused(made, suspend(150), Reason.OVERLAPS)
    refused(made, resume(300), Reason.WRONG_STATE)


@pytest.mark.fault(13)
def test_a_revoked_device_gets_no_new_key_by_rotation() -> None:
    made = roster.add(fresh(), revoke(5))
    refused(made, rotate(9), Reason.WRONG_STATE)
    refused(made, suspend(1), Reason.WRONG_STATE)
    assert state(roster.add(made, EXCHANGE)) == "ended"


def test_an_ended_device_only_can_be_revoked() -> None:
    made = roster.add(fresh(), EXCHANGE)
    for change in (rotate(9), suspend(1), resume(2)):
        refused(made, change, Reason.WRONG_STATE)
    assert roster.add(made, revoke(5))["devices"][NAME]["revoked"] == 5


@pytest.mark.parametrize(
    "change",
    [{"new": NAME}, {"at": 501}, {"final": {"G": 1}}, {"initial": {"E": 1}}],
)
def test_an_exchange_names_two_meters_in_their_order_and_registers_they_have(
    change: Document,
) -> None:
    refused(fresh(), {**EXCHANGE, **change}, Reason.MALFORMED_DOCUMENT)


@pytest.mark.parametrize(
    ("plan", "kind"), [("P0", "GEN"), ("P1", "STO"), ("P2", "GEN"), ("P3", "HYB"), ("P4", "STO")]
)
def test_a_point_must_have_a_place_in_its_sites_meter_plan(plan: str, kind: str) -> None:
    made = roster.add(roster.empty(0), homes.site("h", plan))
    refused(made, homes.point("p", "h", kind), Reason.MALFORMED_DOCUMENT)
    roster.add(made, homes.point("p", "h", "EVSE"))  # sub-meters may always stand


def test_a_register_must_be_one_its_kind_of_point_has() -> None:
    refused(fresh(), homes.device("x", "h.GCP", ("G",)), Reason.MALFORMED_DOCUMENT)


def test_a_parent_is_a_point_of_the_same_site() -> None:
    made = homes.roster_of({"h": "P0", "i": "P0"})
    stray = homes.point("p", "h", "HP", parent="i.GCP")
    refused(made, stray, Reason.MALFORMED_DOCUMENT)


class Life(RuleBasedStateMachine):
    """Every change at any time, against a model of four states."""

    def __init__(self) -> None:
        super().__init__()
        self.roster, self.state, self.counter, self.clock = fresh(), "active", 1, 0
        self.revoked: int | None = None

    def try_(self, change: Document, allowed: bool, after: str) -> None:
        if not allowed:
            refused(self.roster, change, Reason.WRONG_STATE)
            return
        self.roster = roster.add(self.roster, change)
        self.state = after

    @rule()
    def rotates(self) -> None:
        allowed = self.state in ("active", "suspended")
        self.try_(rotate(self.counter + 10), allowed, self.state)
        self.counter += 10 if allowed else 0

    @rule(step=st.integers(1, 5))
    def suspends(self, step: int) -> None:
        self.clock += step
        self.try_(suspend(self.clock), self.state == "active", "suspended")

    @rule(step=st.integers(1, 5))
    def resumes(self, step: int) -> None:
        self.clock += step
        self.try_(resume(self.clock), self.state == "suspended", "active")

    @rule(counter=st.integers(0, 100))
    def revokes(self, counter: int) -> None:
        self.try_(revoke(counter), True, "ended" if self.state == "ended" else "revoked")
        self.revoked = counter if self.revoked is None else min(counter, self.revoked)

    @rule()
    def exchanges(self) -> None:
        if self.state != "ended":
            self.try_(EXCHANGE, True, "ended")

    @invariant()
    def is_in_the_state_of_the_model(self) -> None:
        assert state(self.roster) == self.state

    @invariant()
    def no_revocation_is_ever_taken_back(self) -> None:
        assert self.roster["devices"][NAME].get("revoked") == self.revoked

    @invariant()
    def each_counter_has_the_key_of_its_time(self) -> None:
        about = self.roster["devices"][NAME]
        firsts = [g["first_counter"] for g in (*about.get("former", []), about)]
        assert firsts == sorted(set(firsts))
        assert documents.key_at(about, 0) is None

    @invariant()
    def suspensions_are_apart(self) -> None:
        windows = self.roster["devices"][NAME].get("suspended", [])
        ends = [edge for window in windows for edge in window if edge is not None]
        assert ends == sorted(ends)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=20)


@given(st.integers(0, 400))
def test_a_device_never_suspended_is_never_suspended(at: int) -> None:
    assert not lifecycle.suspended_at(fresh()["devices"][NAME], at)
