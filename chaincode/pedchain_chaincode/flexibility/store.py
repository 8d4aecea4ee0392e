# SPDX-License-Identifier: Apache-2.0
"""Private documents of the collection `flex`: of the DSO, the district and the aggregator.

Names are keyed hashes, and every value starts with a 128-bit salt, as in `metering.vault`; the
secret behind the names is this collection's own, because the aggregator must know it. What a
document was when an order froze it is remembered in settlement by `digest`, so that the two who can
write here cannot change it behind the third's back. As in the vault, what is erased in part moves
to its name's second key.
"""

import hashlib
import hmac
from collections.abc import Sequence

from pedchain_chaincode.debits import salt
from pedchain_chaincode.documents import load, load_many, save
from pedchain_chaincode.flexibility import keys
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain.readings import derive_salt
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal

Name = tuple[str | int, ...]


class Store:
    """Reads and writes of one transaction; without a salt it only reads."""

    def __init__(
        self, ctx: Context, secret: bytes, salt: bytes = b"", *, moved: bool = False
    ) -> None:
        self.ctx, self._secret, self._salt, self._moved = ctx, secret, salt, moved

    @classmethod
    async def read(cls, ctx: Context) -> "Store":
        """The store to look into. Refuses `not-begun` before the first consent was offered."""
        wanted = [keys.secret_marker(ctx.stub), keys.moved(ctx.stub)]
        marker, moved = await load_many(ctx.stub, wanted)
        if marker is None:
            raise Refusal("not-begun")
        key = keys.secret(ctx.stub, marker["transaction"])
        secret = await ctx.stub.get_private(keys.COLLECTION, key)
        if secret is None:
            raise Refusal("private-data-missing")
        return cls(ctx, secret, moved=moved is not None)

    @classmethod
    async def open(cls, ctx: Context) -> "Store":
        """The store of a transaction that brings a salt. Its writes go to the peer in batches."""
        found = await cls.read(ctx)
        found._salt = salt(ctx)
        ctx.stub.start_write_batch()
        return found

    @classmethod
    async def begin(cls, ctx: Context) -> "Store":
        """As `open`; makes the secret where there is none yet."""
        if await load(ctx.stub, keys.secret_marker(ctx.stub)) is not None:
            return await cls.open(ctx)
        transaction, given = ctx.stub.transaction_id, salt(ctx)
        made = hmac.digest(given, b"flex " + transaction.encode(), "sha256")
        await ctx.stub.put_private(keys.COLLECTION, keys.secret(ctx.stub, transaction), made)
        await save(ctx.stub, keys.secret_marker(ctx.stub), {"transaction": transaction})
        return cls(ctx, made, given)

    def fresh(self, *parts: str) -> str:
        """A salt, hex, for what the transaction writes under these parts."""
        return derive_salt("flex", [self._salt.hex(), *parts])

    async def load(self, *name: str | int) -> Document | None:
        """The document of a name."""
        return (await self.load_many([name]))[0]

    async def load_many(self, names: Sequence[Name]) -> list[Document | None]:
        """The documents of names, in their order."""
        return [
            None if one is None else restore(one[SALT_BYTES:]) for one in await self._get(names)
        ]

    async def held(self, *name: str | int) -> tuple[Document, str]:
        """A document that must be there, and its digest. Refuses `private-data-missing`."""
        value = (await self._get([name]))[0]
        if value is None:
            raise Refusal("private-data-missing")
        return restore(value[SALT_BYTES:]), digest(value)

    async def save(self, name: Name, document: Document) -> str:
        """Write a document under a name; its digest."""
        return await self._put(self._key(name), name, document)

    async def _put(self, key: str, name: Name, document: Document) -> str:
        salted = hex_bytes(self.fresh(*(str(part) for part in name)))
        value = salted + store(document)
        await self.ctx.stub.put_private(keys.COLLECTION, key, value)
        return digest(value)

    async def purge(self, name: Name) -> None:
        """Purge a document with its history."""
        await self.ctx.stub.purge_private(keys.COLLECTION, self._key(name))
        if self._moved:
            await self.ctx.stub.purge_private(keys.COLLECTION, self._key(_second(name)))

    async def replace(self, name: Name, document: Document) -> None:
        """Write a document anew in its other place, and purge the one it stood in with its history.
        The transaction must also `mark_moved`."""
        first, second = self._key(name), self._key(_second(name))
        is_first = await self.ctx.stub.get_private(keys.COLLECTION, first) is not None
        old, new = (first, second) if is_first else (second, first)
        await self._put(new, name, document)
        await self.ctx.stub.purge_private(keys.COLLECTION, old)

    async def mark_moved(self) -> None:
        """Say that documents may stand under their second key from now on."""
        if not self._moved:
            await save(self.ctx.stub, keys.moved(self.ctx.stub), {})

    async def _get(self, names: Sequence[Name]) -> list[bytes | None]:
        if not names:
            return []
        wanted = [self._key(name) for name in names]
        found = await self.ctx.stub.get_privates(keys.COLLECTION, wanted)
        missing = [at for at, value in enumerate(found) if value is None] if self._moved else []
        if missing:
            second = [self._key(_second(names[at])) for at in missing]
            again = await self.ctx.stub.get_privates(keys.COLLECTION, second)
            for at, value in zip(missing, again, strict=True):
                found[at] = value
        return found

    def _key(self, name: Name) -> str:
        spelt = "\x00".join(str(part) for part in name)
        return keys.hidden(self.ctx.stub, hmac.digest(self._secret, spelt.encode(), "sha256").hex())


def _second(name: Name) -> Name:
    return ("moved", *name)


def digest(value: bytes) -> str:
    """What stands for a salted document elsewhere."""
    return hashlib.sha256(value).hexdigest()
