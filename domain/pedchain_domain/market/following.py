# SPDX-License-Identifier: Apache-2.0
"""Origin that follows energy (rules P2): the certificates of what was sold or shared go with it.

A settled session and a shared hour are a pool each: sellers' certificates go into it, and who
bought or was shared its energy has a part of them, as its energy is of the pool's.

>>> along([700, 300], {"session": 900, "street": 400})
[{'session': 700}, {'session': 200, 'street': 100}]
>>> received(900, mine=250, whole=1_000)
225
"""

from collections.abc import Mapping, Sequence
from typing import Final

FOLLOWS: Final = "follows"
ENERGY_ONLY: Final = "energy-only"


def along(certificates: Sequence[int], given: Mapping[str, int]) -> list[dict[str, int]]:
    """What of certificates of one site's hour, Wh, goes along with what was given to pools: by
    certificate, pool to Wh. Pools take in the order they come, each what is left."""
    left = list(certificates)
    found: list[dict[str, int]] = [{} for _ in left]
    for pool, wh in given.items():
        for at, rest in enumerate(left):
            part = min(wh, rest)
            if part:
                found[at][pool] = part
                left[at] -= part
                wh -= part
    return found


def received(certified: int, *, mine: int, whole: int) -> int:
    """Certified Wh that came with `mine` of a pool's `whole` energy, rounded down: the parts of all
    are never more than there is."""
    return certified * mine // whole if whole else 0
