# SPDX-License-Identifier: Apache-2.0
"""Which sequences may stop real peers for good (docs/differences.md): the soak leaves them out.

What a transaction will find is not known beforehand: some that would stop nobody are told too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.differential.forgeries import UNDEFINED
from tests.differential.steps import Step

Tx = Mapping[str, Any]
Place = tuple[str, str]
"""A chaincode and a key of it."""

#: What a script does to a key to make its policy unreadable, but for the key.
_SPOILS = ["policy", []]


def may_stop_peers(steps: Sequence[Step]) -> bool:
    """Whether real peers might never get beyond a block of these."""
    blocks = [[*step.get("txs", ()), *([step["tx"]] if "tx" in step else [])] for step in steps]
    return (
        any(_writes_undefined(tx) for block in blocks for tx in block)
        or _touches_unreadable([tx for block in blocks for tx in block])
        or any(_ranges_without_version(block) for block in blocks)
    )


def _writes_undefined(tx: Tx) -> bool:
    """A forged write into a collection that is not defined."""
    return any(
        each["name"] in UNDEFINED and "writes" in each
        for ns in tx.get("forge", ())
        for each in ns.get("private", ())
    )


def _touches_unreadable(txs: Sequence[Tx]) -> bool:
    """A forged transaction touches a key whose policy an earlier one, forged or computed, made
    unreadable."""
    unreadable: set[Place] = set()
    for tx in txs:
        policies = list(_forged(tx, "metadata"))
        if unreadable & {place for place, _ in (*policies, *_forged(tx, "writes"))}:
            return True
        unreadable |= {place for place, policy in policies if policy == []}
        unreadable |= {
            (tx.get("cc", "main"), do[1])
            for do in tx.get("script", ())
            if [do[0], *do[2:]] == _SPOILS
        }
    return False


def _ranges_without_version(block: Sequence[Tx]) -> bool:
    """A forged range names a key as it stands, perhaps not at all, and an earlier transaction of
    the block writes it: a result without version meets a key."""
    written: set[Place] = set()
    for tx in block:
        ranged = {
            (ns["ns"], key)
            for ns in tx.get("forge", ())
            for *_, results in ns.get("ranges", ())
            for key, version in results or ()
            if version == "now"
        }
        if ranged & written:
            return True
        written |= {place for place, value in _forged(tx, "writes") if value is not None}
        written |= {
            (tx.get("cc", "main"), do[1])
            for do in tx.get("script", ())
            if do[0] == "put" and len(do) == len(["put", "key", "value"])
        }
    return False


def _forged(tx: Tx, what: str) -> Iterator[tuple[Place, Any]]:
    """The forged `writes` or `metadata` of a transaction, by place."""
    for ns in tx.get("forge", ()):
        for key, value in ns.get(what, ()):
            yield (ns["ns"], key), value
