# SPDX-License-Identifier: Apache-2.0
"""What the auditor asks of registered members and shares, whoever endorsed them."""

from typing import Any

import pytest

from pedchain_audit.registry import RegistryError, membership, shares
from tests.unit.chaincode.people import key_of, with_signature
from tests.unit.chaincode.people import membership as signed_membership

FENCE = {"operator": "DistrictAMSP", "district": "DistrictA", "network": "pedchain"}


def test_a_member_signed_by_both_sides_stands() -> None:
    membership(signed_membership("ann"), FENCE, "DistrictAMSP", "ped")


@pytest.mark.parametrize(
    ("document", "creator", "channel"),
    [
        (signed_membership("ann"), "DSOMSP", "ped"),
        (signed_membership("ann"), "DistrictAMSP", "other"),
        ({**signed_membership("ann"), "from": 1}, "DistrictAMSP", "ped"),
        (signed_membership("ann", district="DistrictB"), "DistrictAMSP", "ped"),
        (
            with_signature(
                {k: v for k, v in signed_membership("ann").items() if k != "signature"},
                key_of("bob"),
            ),
            "DistrictAMSP",
            "ped",
        ),
    ],
)
def test_a_member_without_one_of_them_is_named(
    document: dict[str, Any], creator: str, channel: str
) -> None:
    with pytest.raises(RegistryError):
        membership(document, FENCE, creator, channel)


def test_shares_beyond_the_whole_are_named() -> None:
    half = {"ppm": 600_000, "from": 0, "to": None}
    shares({"participations": {"s": [half]}})
    shares({})
    with pytest.raises(RegistryError):
        shares({"participations": {"s": [half, {**half, "from": 5}]}})
