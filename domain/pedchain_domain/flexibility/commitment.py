# SPDX-License-Identifier: Apache-2.0
"""What is frozen at notice: rule, parameters and every site's days, as one root (rules D7).

Leaf = H(0x00 | salt128 | canonical {days, site}), sites in ascending order of their ids; a declared
schedule stands in the leaf beside them. Values of the days may still be completed by late readings;
the days themselves never change.
"""

from collections.abc import Mapping, Sequence

from pedchain_domain import canonical, merkle


def leaf(
    site: str, days: Sequence[str], salt: bytes, schedule: Sequence[int] | None = None
) -> bytes:
    """The leaf of one site."""
    declared = {} if schedule is None else {"schedule": list(schedule)}
    frozen = {"days": list(days), "site": site, **declared}
    return merkle.leaf_hash(salt + canonical.encode(frozen))


def root(days: Mapping[str, Sequence[str]], salts: Mapping[str, bytes]) -> str:
    """The root over all sites of a portfolio, hex."""
    leaves = [leaf(site, days[site], salts[site]) for site in sorted(days, key=str.encode)]
    return merkle.root(leaves).hex()
