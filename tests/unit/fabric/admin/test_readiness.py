# SPDX-License-Identifier: Apache-2.0
"""Goal: no commit that stops an organisation its policies need. Method: each lack on its own."""

import pytest

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.admin.readiness import Standing, missing, require_ready
from pedchain_fabric.errors import AdminError

READY = Standing(approved=True, installed=True)
DEFINITION = Definition(
    "metering",
    "1",
    2,
    "AND('DSOMSP.peer','AMSP.peer')",
    (Collection("flex", ("DSOMSP", "AMSP", "AggregatorMSP")),),
)
ALL_READY = {"DSOMSP": READY, "AMSP": READY, "AggregatorMSP": READY}


def test_all_ready_lack_nothing() -> None:
    assert missing(DEFINITION, ALL_READY) == ()
    require_ready(DEFINITION, ALL_READY)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(approved=False, installed=True), ("AMSP has not approved",)),
        (Standing(approved=True, installed=False), ("AMSP has not installed",)),
        (
            Standing(approved=False, installed=False),
            ("AMSP has not approved", "AMSP has not installed"),
        ),
    ],
)
def test_what_an_organisation_lacks_is_named(standing: Standing, words: tuple[str, ...]) -> None:
    assert missing(DEFINITION, ALL_READY | {"AMSP": standing}) == words


def test_a_member_of_a_collection_counts_too() -> None:
    assert missing(DEFINITION, {"DSOMSP": READY, "AMSP": READY}) == ("AggregatorMSP has not said",)


def test_who_is_in_no_policy_does_not_matter() -> None:
    nobody = Standing(approved=False, installed=False)
    assert missing(DEFINITION, ALL_READY | {"BMSP": nobody}) == ()


def test_a_commit_too_early_is_refused() -> None:
    with pytest.raises(AdminError, match="yet: AMSP has not said") as refusal:
        require_ready(DEFINITION, {"DSOMSP": READY, "AggregatorMSP": READY})
    assert refusal.value.status == "NOT_READY"
