# SPDX-License-Identifier: Apache-2.0
"""Who becomes a member of a collection is given what its members hold already.

Fabric core/ledger/pvtdatastorage (ProcessCollsEligibilityEnabled) and gossip/privdata/reconcile.go:
there it takes up to a minute, because peers ask each other; here one store serves all.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.lifecycle import (
    FIELDS,
    NAMESPACE,
    NAMESPACES,
    Definition,
    field_key,
    read_definition,
)
from pedchain_fabric.embedded.ledger.privatewrites import PrivateChanges
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import (
    UpdateBatch,
    Versioned,
    pack_holders,
    private_space,
    unpack_holders,
)

_FIELD: Final = FIELDS[-1]


class Admission(NamedTuple):
    """Organisations that newly are members of a collection."""

    namespace: str
    collection: str
    members: frozenset[str]


def admissions(state: State, definitions: Definitions, updates: UpdateBatch) -> list[Admission]:
    """Whom the definitions in a block's updates admit to collections that were there before."""
    return [
        admission
        for name in sorted(_defined(updates))
        for admission in _gained(definitions.get(name), _now(state, updates, name))
    ]


def _defined(updates: UpdateBatch) -> Iterator[str]:
    """Chaincodes whose collections a block writes."""
    before, _, after = field_key(NAMESPACES, "*", _FIELD).partition("*")
    for key in updates.changes(NAMESPACE):
        text = key.decode("utf-8", "replace")
        if text.startswith(before) and text.endswith(after):
            yield text[len(before) : -len(after)]


def _now(state: State, updates: UpdateBatch, name: str) -> Definition | None:
    def read(key: str) -> bytes | None:
        change = updates.get(NAMESPACE, key.encode())
        row = state.get(NAMESPACE, key.encode()) if change is None else change.row
        return None if row is None else row.value

    return read_definition(read, name)


def _gained(before: Definition | None, after: Definition | None) -> Iterator[Admission]:
    if before is None or after is None:
        return
    for collection in after.collections:
        old = before.collection(collection.name)
        if old is not None and collection.members - old.members:
            yield Admission(after.name, collection.name, collection.members - old.members)


def admit(state: State, changes: PrivateChanges, admission: Admission) -> None:
    """Add to the block's private changes that the new members hold every value there is."""
    space = private_space(admission.namespace, admission.collection)
    batch = changes.batch
    for key, change in list(batch.changes(space).items()):
        if change.row is not None:
            batch.put(space, key, _held_too(change.row, admission))
    for key, row in state.range(space, b"", b""):
        if batch.get(space, key) is None:
            batch.put(space, key, _held_too(row, admission))
    place = (admission.namespace, admission.collection)
    changes.parts = [
        (at, part._replace(holders=part.holders | admission.members))
        if (part.namespace, part.collection) == place
        else (at, part)
        for at, part in changes.parts
    ]


def _held_too(row: Versioned, admission: Admission) -> Versioned:
    holders = unpack_holders(row.metadata) | admission.members
    return row._replace(metadata=pack_holders(holders))
