# SPDX-License-Identifier: Apache-2.0
"""The book of origin: certificates in the district's collection, and the salts of a transaction."""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode import debits
from pedchain_chaincode.metering import keys as names
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_chaincode.origin import keys
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain.debit import Domain
from pedchain_domain.readings import derive_salt
from pedchain_domain.text import hex_bytes
from pedchain_fabric.shim import Context, Refusal

CONTRACT = "origin"
POINTER = "gc-pointer/1"


class Book:
    """Reads and writes certificates. `salt` makes the salts of what the transaction writes."""

    def __init__(self, ctx: Context, fence: Fence, vault: Vault, salt: bytes) -> None:
        self.ctx, self.fence, self.vault, self._salt = ctx, fence, vault, salt

    @classmethod
    async def open(cls, ctx: Context, fence: Fence) -> "Book":
        """The book of a transaction that brings a salt. Refuses `no-readings` before any vault."""
        salt = debits.salt(ctx)
        vault = await Vault.open(ctx)
        if vault is None:
            raise Refusal("no-readings")
        return cls(ctx, fence, vault, salt)

    @property
    def domain(self) -> Domain:
        """What debits of this definition's accounts are signed for."""
        contract = f"metering-{self.fence.district}:{CONTRACT}"
        return Domain(self.fence.network, self.ctx.stub.channel_id, contract)

    def fresh(self, *parts: str) -> str:
        """A 128-bit salt, hex, that dies with what it salts: of the client's random bytes."""
        return derive_salt("origin", [self._salt.hex(), *parts])

    async def certificate(self, account: str, identifier: str) -> Document:
        """A certificate the account owns, or that was cancelled for it. Refuses `not-found`."""
        found = await self._read(account, identifier)
        if found is not None and found["schema"] == POINTER:
            found = await self._read(found["owner"], identifier)
        if found is None:
            raise Refusal("not-found")
        document: Document = found
        return document

    async def read_many(self, named: Sequence[tuple[str, str]]) -> list[Document | None]:
        """Certificates by account and id, in their order; None for one that is not there."""
        if not named:
            return []
        wanted = [self._key(*one) for one in named]
        values = await self.ctx.stub.get_privates(names.COLLECTION, wanted)
        return [None if value is None else restore(value[16:]) for value in values]

    async def put(self, certificate: Document) -> None:
        """Write a certificate under its owner."""
        await self._write(certificate["owner"], certificate["id"], certificate)

    async def point(self, account: str, certificate: Document) -> None:
        """Let an account find a certificate that was cancelled for it."""
        if account != certificate["owner"]:
            pointer = {"schema": POINTER, "salt": self.fresh("pointer", account)}
            about = {"id": certificate["id"], "owner": certificate["owner"]}
            await self._write(account, certificate["id"], {**pointer, **about})

    async def _read(self, account: str, identifier: str) -> Any:
        key = self._key(account, identifier)
        value = await self.ctx.stub.get_private(names.COLLECTION, key)
        return None if value is None else restore(value[16:])

    async def _write(self, account: str, identifier: str, document: Document) -> None:
        key = self._key(account, identifier)
        value = hex_bytes(document["salt"]) + store(document)
        await self.ctx.stub.put_private(names.COLLECTION, key, value)

    def _key(self, account: str, identifier: str) -> str:
        return keys.certificate(self.ctx.stub, self.vault.secret, account, identifier)
