# SPDX-License-Identifier: Apache-2.0
"""Collecting endorsements over the layouts of a plan.

Source: internal/pkg/gateway/endorsement.go.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabric_protos.gateway.gateway_pb2 import ErrorDetail
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from pedchain_fabric.embedded.peer import Peer

_log = logging.getLogger("gateway")


@dataclass(slots=True)
class Layout:
    """How many endorsements of which group are still needed, and those collected."""

    required: dict[str, int]
    endorsements: list[Endorsement] = field(default_factory=list)


class Plan:
    """Peers by group, in the order to ask them, and the layouts that would do."""

    def __init__(
        self, layouts: Sequence[Mapping[str, int]], groups: Mapping[str, Sequence[Peer]]
    ) -> None:
        self._layouts: list[Layout | None] = [Layout(dict(each)) for each in layouts]
        self._waiting = {group: list(peers) for group, peers in groups.items()}
        self._group_of = {peer.name: group for group, peers in groups.items() for peer in peers}
        self._next = 0
        self.payload: bytes | None = None
        self.completed: Layout | None = None
        self.errors: list[ErrorDetail] = []

    def endorsers(self) -> list[Peer]:
        """The peers to ask for the next layout; none when no layout is left."""
        while self._next < len(self._layouts):
            layout = self._layouts[self._next]
            chosen = None if layout is None else self._choose(layout)
            if chosen:
                return chosen
            self._layouts[self._next] = None
            self._next += 1
        return []

    def _choose(self, layout: Layout) -> list[Peer]:
        needed = layout.required.items()
        if any(quantity > len(self._waiting.get(group, ())) for group, quantity in needed):
            return []
        chosen: list[Peer] = []
        for group, quantity in layout.required.items():
            chosen += self._waiting[group][:quantity]
            self._waiting[group] = self._waiting[group][quantity:]
        return chosen

    def accept(self, peer: Peer, response: ProposalResponse) -> bool:
        """Counts an endorsement for every layout its group is in; False if results differ."""
        group = self._group_of.get(peer.name, "")
        waiting = self._waiting.get(group, [])
        self._waiting[group] = [each for each in waiting if each.name != peer.name]
        if self.payload is None:
            self.payload = response.payload
        elif self.payload != response.payload:
            _log.warning("ProposalResponsePayloads do not match.")
            self.fail(peer, "ProposalResponsePayloads do not match")
            return False
        for layout in self._layouts[self._next :]:
            if layout is not None and group in layout.required:
                self._count(layout, group, response.endorsement)
                if self.completed is not None:
                    break
        return True

    def _count(self, layout: Layout, group: str, endorsement: Endorsement) -> None:
        layout.required[group] -= 1
        layout.endorsements.append(endorsement)
        if layout.required[group] == 0:
            del layout.required[group]
            if not layout.required:
                self.completed = layout

    def following(self, peer: Peer) -> Peer | None:
        """Another peer of the same group to try instead."""
        waiting = self._waiting.get(self._group_of.get(peer.name, ""), [])
        return waiting.pop(0) if waiting else None

    def abandon(self, peers: Sequence[Peer]) -> None:
        """Drops the layouts that need these peers' groups, and goes on to the next."""
        groups = {self._group_of.get(peer.name, "") for peer in peers}
        for index in range(self._next, len(self._layouts)):
            layout = self._layouts[index]
            if layout is not None and groups & layout.required.keys():
                self._layouts[index] = None
        self._next += 1

    def fail(self, peer: Peer, message: str) -> None:
        """Remembers what one peer said."""
        self.errors.append(detail(peer, message))


def detail(peer: Peer, message: str) -> ErrorDetail:
    """What a client is told about one peer's failure."""
    return ErrorDetail(address=peer.address, msp_id=peer.msp_id, message=message)


def unique(endorsements: Sequence[Endorsement]) -> list[Endorsement]:
    """The first endorsement of each endorser."""
    found: dict[bytes, Endorsement] = {}
    for each in endorsements:
        found.setdefault(each.endorser, each)
    return list(found.values())
