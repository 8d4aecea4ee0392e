# SPDX-License-Identifier: Apache-2.0
"""Who leads the orderers, by what those that answer say."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_fabric.wire.quorum import bft_quorum
from pedchain_network.watch.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Leadership:
    """`leader` is a node's name, `number N` if only its number is known, or empty for none.

    `size` is the number of consenters in the channel, `live` those that answer.
    """

    leader: str
    view: int | None
    size: int
    live: int
    quorum: int

    @property
    def can_order(self) -> bool:
        """Enough orderers live, and one leads."""
        return bool(self.leader) and self.live >= self.quorum


def of(
    orderers: Mapping[str, Vitals | None], *, bft: bool, numbers: Mapping[int, str]
) -> Leadership:
    """From the answers of all orderers, by name; `numbers` are the consenters' where known."""
    live = {name: vitals for name, vitals in orderers.items() if vitals is not None}
    size = max((vitals.size or 0 for vitals in live.values()), default=0) or len(orderers)
    return Leadership(
        leader=_voted(live, numbers) if bft else _elected(live),
        view=max((each.view for each in live.values() if each.view is not None), default=None),
        size=size,
        live=len(live),
        quorum=bft_quorum(size) if bft else size // 2 + 1,
    )


def _elected(live: Mapping[str, Vitals]) -> str:
    return next((name for name, vitals in live.items() if vitals.leads), "")


def _voted(live: Mapping[str, Vitals], numbers: Mapping[int, str]) -> str:
    """Whom most name as the leader of the highest view, if it answers."""
    view = max((each.view or 0 for each in live.values()), default=0)
    votes = Counter(
        each.leader for each in live.values() if each.leader and (each.view or 0) == view
    )
    if not votes:
        return ""
    number = votes.most_common(1)[0][0]
    sure = [name for name, each in live.items() if each.leads and each.leader == number]
    if sure:
        return sure[0]
    name = numbers.get(number)
    if name is None:
        return f"number {number}"
    return name if name in live else ""
