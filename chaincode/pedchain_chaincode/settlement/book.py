# SPDX-License-Identifier: Apache-2.0
"""The operators' book: private documents of settlement, by name or by marker.

Every value starts with a 128-bit salt, drawn from the client's random bytes of the transaction, so
that its hash on the public ledger tells nothing.
"""

import hmac
from collections.abc import Sequence
from itertools import count

from pedchain_chaincode import debits
from pedchain_chaincode.documents import load, save
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.settlement import keys
from pedchain_chaincode.settlement.setup import Setup
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain.debit import Domain
from pedchain_domain.readings import derive_salt
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal, Stub

MARK = b"\x01"


async def create(ctx: Context) -> None:
    """Make the secret of the book, once, and write it to the collection."""
    stub = ctx.stub
    transaction = stub.transaction_id
    made = hmac.digest(debits.salt(ctx), b"book " + transaction.encode(), "sha256")
    await stub.put_private(keys.COLLECTION, keys.secret(stub, transaction), made)
    await save(stub, keys.secret_marker(stub), {"transaction": transaction})


class Book:
    """Reads and writes the documents of one transaction; without a salt it only reads."""

    def __init__(self, ctx: Context, setup: Setup, secret: bytes, salt: bytes = b"") -> None:
        self.ctx, self.setup, self._secret, self._salt = ctx, setup, secret, salt
        self._numbers = count()

    @classmethod
    async def read(cls, ctx: Context, setup: Setup) -> "Book":
        """The book to look into."""
        return cls(ctx, setup, await _secret(ctx.stub))

    @classmethod
    async def open(cls, ctx: Context, setup: Setup) -> "Book":
        """The book of a transaction that brings a salt. Its writes go to the peer in batches."""
        salt = debits.salt(ctx)
        found = cls(ctx, setup, await _secret(ctx.stub), salt)
        ctx.stub.start_write_batch()
        return found

    @property
    def stub(self) -> Stub:
        """The transaction's stub."""
        return self.ctx.stub

    def domain(self, contract: str) -> Domain:
        """What debits for one of the definition's contracts are signed for."""
        return Domain(self.setup.network, self.stub.channel_id, f"settlement:{contract}")

    def fresh(self, *parts: str) -> str:
        """A salt, hex, for what the transaction writes under these parts."""
        return derive_salt("settlement", [self._salt.hex(), *parts])

    def identifier(self) -> str:
        """An id nobody else can take: the transaction's, and a number in it."""
        return f"{self.stub.transaction_id}.{next(self._numbers)}"

    def tag(self, *name: str | int) -> str:
        """What stands for a name where the public can see it."""
        return keys.tag(self._secret, *name)

    async def load(self, *name: str | int) -> Document | None:
        """The document of a name."""
        key = keys.hidden(self.stub, self._secret, *name)
        return _restored(await self.stub.get_private(keys.COLLECTION, key))

    async def load_many(self, names: Sequence[tuple[str | int, ...]]) -> list[Document | None]:
        """The documents of names, in their order."""
        if not names:
            return []
        wanted = [keys.hidden(self.stub, self._secret, *name) for name in names]
        return [_restored(one) for one in await self.stub.get_privates(keys.COLLECTION, wanted)]

    async def save(self, name: tuple[str | int, ...], document: Document) -> None:
        """Write a document under a name."""
        key = keys.hidden(self.stub, self._secret, *name)
        await self._put(key, document, "named", *(str(part) for part in name))

    async def purge(self, name: tuple[str | int, ...]) -> None:
        """Purge the document of a name, with its history."""
        key = keys.hidden(self.stub, self._secret, *name)
        await self.stub.purge_private(keys.COLLECTION, key)

    async def marked(self, kind: str, owner: str, identifier: str) -> Document | None:
        """The document of a marker."""
        key = keys.marked(self.stub, kind, owner, identifier)
        return _restored(await self.stub.get_private(keys.COLLECTION, key))

    async def marked_many(
        self, kind: str, owner: str, identifiers: Sequence[str]
    ) -> list[Document | None]:
        """The documents of an owner's markers, in their order."""
        if not identifiers:
            return []
        wanted = [keys.marked(self.stub, kind, owner, one) for one in identifiers]
        return [_restored(one) for one in await self.stub.get_privates(keys.COLLECTION, wanted)]

    async def held(self, kind: str, owner: str, identifiers: Sequence[str]) -> list[Document]:
        """The documents of markers, which must all be there: a peer that lacks one refuses."""
        return await self.held_by(kind, [(owner, one) for one in identifiers])

    async def held_by(self, kind: str, named: Sequence[tuple[str, str]]) -> list[Document]:
        """As `held`, of several owners: (owner, id)."""
        if not named:
            return []
        wanted = [keys.marked(self.stub, kind, owner, one) for owner, one in named]
        values = await self.stub.get_privates(keys.COLLECTION, wanted)
        found = [_restored(value) for value in values]
        if any(document is None for document in found):
            raise Refusal("not-found", kind)
        return [document for document in found if document is not None]

    async def mark(self, kind: str, owner: str, identifier: str, document: Document) -> None:
        """Write a document and its marker."""
        key = keys.marked(self.stub, kind, owner, identifier)
        await self._put(key, document, kind, owner, identifier)
        await self.stub.put_state(key, MARK)

    async def drop(self, kind: str, owner: str, identifier: str) -> None:
        """Remove a document and its marker."""
        key = keys.marked(self.stub, kind, owner, identifier)
        await self.stub.del_private(keys.COLLECTION, key)
        await self.stub.del_state(key)

    async def ids(self, kind: str, owner: str, most: int, after: str = "") -> list[str]:
        """Ids of an owner's markers of a kind, ascending, at most so many, behind `after`."""
        found: list[str] = []
        behind = [after] if after else []
        async for row in self.stub.partial_composite(kind, [owner], after=behind):
            found.append(self.stub.split_composite_key(row.key)[1][1])
            if len(found) == most:
                break
        return found

    async def _put(self, key: str, document: Document, *salted: str) -> None:
        salt = hex_bytes(self.fresh(*salted))
        body = {name: value for name, value in document.items() if name != "salt"}
        await self.stub.put_private(keys.COLLECTION, key, salt + store(body))


async def _secret(stub: Stub) -> bytes:
    marker = await load(stub, keys.secret_marker(stub))
    if marker is None:
        raise Refusal("not-begun")
    value = await stub.get_private(keys.COLLECTION, keys.secret(stub, marker["transaction"]))
    if value is None:
        raise Refusal("private-data-missing")
    return value


def _restored(value: bytes | None) -> Document | None:
    if value is None:
        return None
    document: Document = restore(value[SALT_BYTES:])
    return document
