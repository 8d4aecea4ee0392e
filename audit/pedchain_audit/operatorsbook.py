# SPDX-License-Identifier: Apache-2.0
"""Settlement's private documents as the transactions so far left them, read with the book's secret.

Documents with a marker are found by kind and owner, all others only by their name: their keys are
keyed hashes, so the audit asks for what must stand under a name and never guesses.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pedchain_audit.losses import document_of
from pedchain_audit.private import PrivateDataError, check_hashes
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.rwset import Namespace, hash_key

Document = dict[str, Any]
NAMESPACE, COLLECTION = "settlement", "book"
_HIDDEN, _SECRET, _DEBIT = "book", "secret", "debit"


class Change(NamedTuple):
    """One private write: what kind of document, whose, and what it was before and after."""

    kind: str
    owner: str
    identifier: str
    before: Document | None
    after: Document | None


class Written(NamedTuple):
    """What one transaction wrote to the book; `debit` as it was signed, behind its salt."""

    marked: list[Change]
    hidden: list[Change]
    debit: bytes | None


@dataclass(slots=True)
class Book:
    """Every document that stands now."""

    secret: bytes = b""
    _named: dict[str, Document] = field(default_factory=dict)
    _marked: dict[tuple[str, str], dict[str, Document]] = field(default_factory=dict)

    def tag(self, *name: str | int) -> str:
        """What stands for a name in keys."""
        spelt = "\x00".join(str(part) for part in name)
        return hmac.digest(self.secret, spelt.encode(), "sha256").hex()

    def named(self, *name: str | int) -> Document | None:
        """The document of a name."""
        return self._named.get(self.tag(*name))

    def is_named(self, change: Change, *name: str | int) -> bool:
        """Whether a change is of this name."""
        return change.identifier == self.tag(*name)

    def marked(self, kind: str, owner: str) -> dict[str, Document]:
        """An owner's documents of a kind, by id."""
        return self._marked.get((kind, owner), {})

    def read(self, writes: Iterable[tuple[str, bytes | None]]) -> Written:
        """Private writes as changes of what stands, not yet made."""
        found = Written([], [], None)
        for key, value in writes:
            kind, attributes = compositekey.split(key)
            if kind == _SECRET:
                self.secret = value or b""
            elif kind == _DEBIT:
                found = found._replace(debit=value)
            else:
                after = document_of(value) if value else None
                if kind == _HIDDEN:
                    before = self._named.get(attributes[0])
                    found.hidden.append(Change(kind, "", attributes[0], before, after))
                else:
                    owner, identifier = attributes
                    before = self.marked(kind, owner).get(identifier)
                    found.marked.append(Change(kind, owner, identifier, before, after))
        return found

    def make(self, written: Written) -> None:
        """Let a transaction's changes stand."""
        for change in written.hidden:
            _put(self._named, change)
        for change in written.marked:
            _put(self._marked.setdefault((change.kind, change.owner), {}), change)


def _put(held: dict[str, Document], change: Change) -> None:
    if change.after is None:
        held.pop(change.identifier, None)
    else:
        held[change.identifier] = change.after


def book_writes(
    namespace: Namespace, private: bytes | None
) -> list[tuple[str, bytes | None]] | None:
    """The collection's private writes, each with the hash the block holds of it; None where the
    archive does not hold them all."""
    hashed = {each.name: each for each in namespace.collections}.get(COLLECTION)
    if hashed is None or not hashed.writes:
        return []
    if private is None:
        return None
    try:
        for decoded in rwset.decode_private(private):
            for collection in decoded.collections:
                if (decoded.name, collection.name) == (NAMESPACE, COLLECTION):
                    found = {hash_key(each.key): each.value for each in collection.writes}
                    check_hashes(hashed, found)
                    if len(found) != len(hashed.writes):
                        return None
                    return [
                        (each.key, None if each.deletes else each.value)
                        for each in collection.writes
                    ]
    except WireError as error:
        raise PrivateDataError(str(error)) from error
    return None
