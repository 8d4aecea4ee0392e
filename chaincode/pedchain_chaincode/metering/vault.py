# SPDX-License-Identifier: Apache-2.0
"""Private documents under names that only members of the collection can recompute.

A name is a keyed hash; its key is a secret that whoever first needs it derives from a salt sent in
the transient map (a registration, else the first fold), and that never leaves the collection. A
value is its document's salt, 16 bytes, then canonical bytes, so that the hash of it on the public
ledger tells nothing.

A document that is erased in part changes its place, since Fabric purges the past of a key and
cannot write it in the same transaction: each name has two keys, and the public key `moved` says
once any document may stand under its second.
"""

import hmac
from collections.abc import Sequence

from pedchain_chaincode.documents import load_many, save
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.metering import keys
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain import pseudonyms
from pedchain_domain.text import from_hex
from pedchain_fabric.shim import Context, Refusal, Stub

Name = tuple[str | int, ...]


class Vault:
    """Reads and writes private documents by name."""

    def __init__(self, stub: Stub, secret: bytes, *, moved: bool = False) -> None:
        self._stub, self._secret, self._moved = stub, secret, moved

    @classmethod
    async def open(cls, ctx: Context) -> "Vault | None":
        """The vault, or None before the first fold made its secret."""
        stub = ctx.stub
        marker, moved = await load_many(stub, [keys.secret_marker(stub), keys.moved(stub)])
        if marker is None:
            return None
        key = keys.secret(stub, marker["transaction"])
        value = await stub.get_private(keys.COLLECTION, key)
        if value is None:
            raise Refusal("private-data-missing")
        return cls(stub, value, moved=moved is not None)

    @classmethod
    async def create(cls, ctx: Context, salt: bytes) -> "Vault":
        """Make the secret, from a batch's salt and this transaction, and write it."""
        stub = ctx.stub
        transaction = stub.transaction_id
        secret = hmac.digest(salt, b"names " + transaction.encode(), "sha256")
        await stub.put_private(keys.COLLECTION, keys.secret(stub, transaction), secret)
        await save(stub, keys.secret_marker(stub), {"transaction": transaction})
        return cls(stub, secret)

    @property
    def secret(self) -> bytes:
        """The key of names; it stays in the collection."""
        return self._secret

    def pseudonym(self, name: str) -> str:
        """What stands on the public ledger in the name's place."""
        return pseudonyms.pseudonym(pseudonyms.naming_key(self._secret), name)

    def translated(self, document: Document) -> Document:
        """A checked document with its names replaced by their pseudonyms."""
        return pseudonyms.translated(pseudonyms.naming_key(self._secret), document)

    async def load(self, *name: str | int) -> Document | None:
        """The document of a name."""
        return (await self.load_many([name]))[0]

    async def load_many(self, names: Sequence[Name]) -> list[Document | None]:
        """The documents of names, in their order."""
        if not names:
            return []
        wanted = [self._key(name) for name in names]
        values = await self._stub.get_privates(keys.COLLECTION, wanted)
        missing = [at for at, value in enumerate(values) if value is None] if self._moved else []
        if missing:
            second = [self._second(names[at]) for at in missing]
            again = await self._stub.get_privates(keys.COLLECTION, second)
            for at, value in zip(missing, again, strict=True):
                values[at] = value
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

    async def purge(self, name: Name) -> None:
        """Remove a document with its past, from every member's store (PurgePrivateData)."""
        await self._stub.purge_private(keys.COLLECTION, self._key(name))
        if self._moved:
            await self._stub.purge_private(keys.COLLECTION, self._second(name))

    async def replace(self, name: Name, document: Document) -> None:
        """Write a document anew in its other place and purge the old one with its past. The
        transaction must also `mark_moved`."""
        first, second = self._key(name), self._second(name)
        held = await self._stub.get_private(keys.COLLECTION, first)
        place, old = (second, first) if held is not None else (first, second)
        salt = from_hex(document["salt"])
        assert salt is not None
        await self._stub.put_private(keys.COLLECTION, place, salt + store(document))
        await self._stub.purge_private(keys.COLLECTION, old)

    async def mark_moved(self) -> None:
        """Say that documents may stand under their second key from now on."""
        if not self._moved:
            await save(self._stub, keys.moved(self._stub), {})

    def _second(self, name: Name) -> str:
        return self._key(("moved", *name))

    def _key(self, name: Name) -> str:
        return keys.hidden(self._stub, self._secret, *name)
