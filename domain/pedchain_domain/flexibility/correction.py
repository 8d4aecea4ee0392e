# SPDX-License-Identifier: Apache-2.0
"""What a settled order is put right by once run FINAL knows more (rules D7, D10) [our].

Money that was paid stays where it is. What should have been otherwise is owed between the two sides
of the order; users and suppliers only ever get more.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pedchain_domain.flexibility.escrow import Release


class Owed(NamedTuple):
    """By the issuer to the provider, by the provider to the issuer and to the supplier, µcur."""

    issuer: int
    provider: int
    supplier: int


def owed(settled: Release, final: Release) -> Owed:
    """What is owed once `final` takes the place of `settled`; users' parts apart."""
    more = final.operator - settled.operator
    supplier = max(0, final.supplier - settled.supplier)
    return Owed(issuer=max(0, -more), provider=max(0, more), supplier=supplier)


def additions(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What each user gets besides, µcur: nobody gives anything back."""
    found = {site: part - before.get(site, 0) for site, part in after.items()}
    return {site: more for site, more in found.items() if more > 0}
