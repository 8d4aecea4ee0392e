# SPDX-License-Identifier: Apache-2.0
"""A district's private documents of demand response as the transactions so far left them.

Keys are keyed hashes of names, made with a secret that the collection keeps itself: the audit asks
for what must stand under a name.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit.losses import document_of
from pedchain_audit.private import PrivateDataError, check_hashes
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import compositekey, rwset
from pedchain_fabric.wire.rwset import Namespace, hash_key

Document = dict[str, Any]
COLLECTION = "flex"
_SECRET, _HIDDEN = "flex-secret", "flex"


@dataclass(frozen=True, slots=True)
class Kept:
    """A document, and the digest of the value it came in."""

    document: Document
    digest: str


Written = dict[str, Kept | None]
"""What one transaction writes, by tag; None where it takes a document away."""


@dataclass(slots=True)
class Store:
    """Every document that stands now, by tag; `blind` once private data was not to be had."""

    secret: bytes = b""
    held: dict[str, Kept] = field(default_factory=dict)
    blind: bool = False

    def tag(self, *name: str | int) -> str:
        """What stands for a name in keys."""
        spelt = "\x00".join(str(part) for part in name)
        return hmac.digest(self.secret, spelt.encode(), "sha256").hex()

    def get(self, *name: str | int) -> Document | None:
        """The document of a name."""
        kept = self.held.get(self.tag(*name))
        return None if kept is None else kept.document

    def read(self, namespace: Namespace, private: bytes | None) -> Written:
        """What a transaction writes here, not yet made. Raises `PrivateDataError`."""
        hashed = {each.name: each for each in namespace.collections}.get(COLLECTION)
        if hashed is None or not hashed.writes or self.blind:
            return {}
        values = _values(namespace.name, private)
        check_hashes(hashed, {hash_key(key): value for key, value in values.items() if value})
        if len(values) != len(hashed.writes):
            self.blind = True
            return {}
        found: Written = {}
        for key, value in values.items():
            kind, attributes = compositekey.split(key)
            if kind == _SECRET:
                self.secret = value
            elif kind == _HIDDEN:
                document = document_of(value) if value else None
                digest = hashlib.sha256(value).hexdigest()
                found[attributes[0]] = None if document is None else Kept(document, digest)
        return found

    def make(self, written: Written) -> None:
        """Let a transaction's documents stand."""
        for tag, kept in written.items():
            if kept is None:
                self.held.pop(tag, None)
            else:
                self.held[tag] = kept


def _values(name: str, private: bytes | None) -> dict[str, bytes]:
    """The collection's private writes by key; an empty value is a deletion."""
    if private is None:
        return {}
    try:
        decoded = rwset.decode_private(private)
    except WireError as error:
        raise PrivateDataError(str(error)) from error
    return {
        write.key: b"" if write.deletes else write.value
        for namespace in decoded
        if namespace.name == name
        for collection in namespace.collections
        if collection.name == COLLECTION
        for write in collection.writes
    }
