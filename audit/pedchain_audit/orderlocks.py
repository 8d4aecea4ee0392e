# SPDX-License-Identifier: Apache-2.0
"""What orders of demand response hold of the money: it leaves balances when an order locks it, and
comes back when the order ends or its users are paid, to the last unit (rules D12)."""

from collections.abc import Iterable
from typing import Any

from pedchain_audit.auction import SettlementError
from pedchain_audit.operatorsbook import Change
from pedchain_audit.registry import decode
from pedchain_audit.world import World
from pedchain_fabric.wire.rwset import KvWrite

NAMESPACE = "settlement"
_ORDER = "\x00flex-order\x00"
_LOCKED = ("ISSUED", "ACCEPTED")
_MOVES = {
    None: ("ISSUED",),
    "ISSUED": ("ISSUED", "ACCEPTED", "REVOKED", "LAPSED"),
    "ACCEPTED": ("ACCEPTED", "SETTLED", "REVOKED", "LAPSED"),
    "SETTLED": ("SETTLED",),
}
Document = dict[str, Any]


def change(writes: Iterable[KvWrite], hidden: Iterable[Change], world: World) -> int:
    """How much more orders hold after a transaction, µcur. Raises `SettlementError` for an order
    that moves as none may."""
    held = 0
    for write in writes:
        if write.key.startswith(_ORDER):
            value = world.value(NAMESPACE, write.key)
            before, after = None if value is None else decode(value), decode(write.value)
            state = None if before is None else before["state"]
            if after["state"] not in _MOVES.get(state, ()):
                raise SettlementError(f"an order moves from {state} to {after['state']}")
            held += _held(after) - (0 if before is None else _held(before))
    for one in hidden:
        if (one.after or {}).get("schema") == "paid/1":
            held -= (one.after or {})["paid"] - (one.before or {}).get("paid", 0)
    return held


def _held(order: Document) -> int:
    """What an order holds by its public state: all that was locked, then its users' pools."""
    if order["state"] in _LOCKED:
        return int(order["escrow"] + order["collateral"])
    return int(order["result"]["users"]) if order["state"] == "SETTLED" else 0
