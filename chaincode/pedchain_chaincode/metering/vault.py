# SPDX-License-Identifier: Apache-2.0
"""Private documents under names that only members of the collection can recompute.

A name is a keyed hash; its key is a secret the first fold derives from the first batch's salt, and
that never leaves the collection. A value is its document's salt, 16 bytes, then canonical bytes, so
that the hash of it on the public ledger tells nothing.
"""

import hmac
from collections.abc import Sequence

from pedchain_chaincode.documents import load, save
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.metering import keys
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain.text import from_hex
from pedchain_fabric.shim import Context, Refusal, Stub

Name = tuple[str | int, ...]


class Vault:
    """Reads and writes private documents by name."""

    def __init__(self, stub: Stub, secret: bytes) -> None:
        self._stub, self._secret = stub, secret

    @classmethod
    async def open(cls, ctx: Context) -> "Vault | None":
        """The vault, or None before the first fold made its secret."""
        stub = ctx.stub
        marker = await load(stub, keys.secret_marker(stub))
        if marker is None:
            return None
        key = keys.secret(stub, marker["transaction"])
        value = await stub.get_private(keys.COLLECTION, key)
        if value is None:
            raise Refusal("private-data-missing")
        return cls(stub, value)

    @classmethod
    async def create(cls, ctx: Context, salt: bytes) -> "Vault":
        """Make the secret, from a batch's salt and this transaction, and write it."""
        stub = ctx.stub
        transaction = stub.transaction_id
        secret = hmac.digest(salt, b"names " + transaction.encode(), "sha256")
        await stub.put_private(keys.COLLECTION, keys.secret(stub, transaction), secret)
        await save(stub, keys.secret_marker(stub), {"transaction": transaction})
        return cls(stub, secret)

    async def load(self, *name: str | int) -> Document | None:
        """The document of a name."""
        return (await self.load_many([name]))[0]

    async def load_many(self, names: Sequence[Name]) -> list[Document | None]:
        """The documents of names, in their order."""
        if not names:
            return []
        wanted = [self._key(name) for name in names]
        values = await self._stub.get_privates(keys.COLLECTION, wanted)
        return [None if value is None else restore(value[SALT_BYTES:]) for value in values]

    async def load_held(self, names: Sequence[Name]) -> list[Document]:
        """Documents an index names, so that each must be there: a peer that lacks one (gossip is
        behind, or it was purged) refuses, and never goes on without it."""
        found = [document for document in await self.load_many(names) if document is not None]
        if len(found) != len(names):
            raise Refusal("private-data-missing")
        return found

    async def save(self, name: Name, document: Document) -> None:
        """Write a document, which carries its own salt (hex), under a name."""
        salt = from_hex(document["salt"])
        assert salt is not None
        assert len(salt) == SALT_BYTES
        value = salt + store(document)
        await self._stub.put_private(keys.COLLECTION, self._key(name), value)

    async def remove(self, name: Name) -> None:
        """Remove a document; past private write sets stay whole, so that an audit can hash them."""
        await self._stub.del_private(keys.COLLECTION, self._key(name))

    def _key(self, name: Name) -> str:
        return keys.hidden(self._stub, self._secret, *name)
