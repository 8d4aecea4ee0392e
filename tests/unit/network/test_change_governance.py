# SPDX-License-Identifier: Apache-2.0
"""Governance follows the set of organisations: a majority stays one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_network.channel import governance
from pedchain_network.topology import reader

REFERENCE = reader.load(reader.reference()).governance


def test_the_reference_stays_the_dso_and_a_majority() -> None:
    more = governance.with_member(REFERENCE.admins, "DistrictCMSP")
    assert more == (
        "AND('DSOMSP.admin', OutOf(2, 'DistrictAMSP.admin', 'DistrictBMSP.admin', "
        "'AggregatorMSP.admin', 'DistrictCMSP.admin'))"
    )
    assert governance.without_member(more, "DistrictCMSP") == REFERENCE.admins


def test_three_of_six_others_are_needed_beside_the_dso() -> None:
    text = governance.with_member(governance.with_member(REFERENCE.lifecycle, "CMSP"), "DMSP")
    rule = governance.read(text)
    assert rule is not None
    assert (rule.always, rule.count, len(rule.equals)) == (("DSOMSP",), 3, 5)


def test_everybody_stays_everybody() -> None:
    text = "AND('AMSP.peer', 'BMSP.peer', 'CMSP.peer')"
    assert governance.with_member(text, "DMSP") == (
        "AND('AMSP.peer', 'BMSP.peer', 'CMSP.peer', 'DMSP.peer')"
    )


def test_another_number_stays_that_number() -> None:
    text = "OutOf(2, 'AMSP.peer', 'BMSP.peer', 'CMSP.peer', 'DMSP.peer', 'EMSP.peer')"
    assert governance.with_member(text, "FMSP").startswith("OutOf(2, ")


@pytest.mark.parametrize(
    "text",
    [
        "OR('AMSP.peer', 'AMSP.admin')",
        "AND(OR('AMSP.peer', 'BMSP.peer'), OR('CMSP.peer', 'DMSP.peer'))",
        "OR('AMSP.peer', AND('BMSP.peer', 'CMSP.peer'))",
        "AND('AMSP.peer', OutOf(1, 'BMSP.peer', AND('CMSP.peer', 'DMSP.peer')))",
    ],
)
def test_a_form_not_understood_is_left_to_people(text: str) -> None:
    assert governance.with_member(text, "ZMSP") == text
    assert governance.without_member(text, "AMSP") is None
    assert governance.without_member(text, "ZMSP") == text


def test_who_must_always_agree_is_only_dropped_in_words() -> None:
    assert governance.without_member(REFERENCE.admins, "DSOMSP") is None


@given(
    always=st.integers(0, 2),
    equals=st.integers(2, 9),
)
def test_a_majority_stays_a_majority_however_many_come(always: int, equals: int) -> None:
    needed = (always + equals) // 2 + 1
    if not 1 <= needed - always <= equals:
        return
    fixed = tuple(f"F{n}MSP" for n in range(always))
    rule = governance.Rule(
        "admin", fixed, needed - always, tuple(f"E{n}MSP" for n in range(equals))
    )
    text = governance.with_member(rule.text, "NewMSP")
    found = governance.read(text)
    assert found is not None
    assert len(found.always) + found.count == max(
        (always + equals + 1) // 2 + 1, len(found.always) + 1
    )
    assert governance.named(text) == {*governance.named(rule.text), "NewMSP"}
    assert governance.named(governance.without_member(text, "NewMSP") or "") == governance.named(
        rule.text
    )
