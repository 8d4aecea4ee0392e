# SPDX-License-Identifier: Apache-2.0
"""Signed debits in contracts: who may spend is proven by the spender (blueprint 1).

An account/1 {schema, salt, id, key: {alg, spki}, counter, ...} lies in the collection of the
contract that holds it. A debit comes in the transient map, so that neither account nor amount
stands in a block; it is kept as a private document under its transaction's id, so that an auditor
with the collection verifies every signature again. Reading the account is the guard: its counter
changes with each debit, so of two debits in flight one fails, and a withheld one fails later.
"""

from typing import Final, Protocol

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_domain import debit as debits
from pedchain_fabric.shim import Context, Refusal, Stub

TRANSIENT: Final = "debit"


class Accounts(Protocol):
    """Where a contract keeps its accounts: a vault of one collection."""

    async def load(self, *name: str | int) -> Document | None:
        """The document of a name."""
        ...

    async def save(self, name: tuple[str | int, ...], document: Document) -> None:
        """Write a document, which carries its own salt, under a name."""
        ...


def salt(ctx: Context) -> bytes:
    """The client's 16 random bytes of this transaction. Refuses `salt-missing`."""
    found = ctx.stub.transient.get("salt", b"")
    if len(found) != SALT_BYTES:
        raise Refusal("salt-missing")
    return found


def received(ctx: Context) -> debits.Signed:
    """The signed debit in the transient map."""
    with refusals():
        return debits.decode(ctx.stub.transient.get(TRANSIENT, b""))


async def account(accounts: Accounts, name: str) -> Document:
    """An account as registered, with the counter of its last debit."""
    found = await accounts.load("account", name)
    if found is None:
        raise Refusal("unknown-account")
    return found


def verified(signed: debits.Signed, holder: Document, domain: debits.Domain) -> debits.Debit:
    """The debit, once it is the account's next, for this contract, and signed by its key."""
    with refusals():
        return debits.check(signed, domain, holder["key"]["spki"], holder["counter"])


async def spend(accounts: Accounts, holder: Document, fresh: str, **changes: object) -> None:
    """Write the account with its counter raised; `fresh` is the new version's salt, hex."""
    spent = {**holder, **changes, "salt": fresh, "counter": holder["counter"] + 1}
    await accounts.save(("account", holder["id"]), spent)


async def keep(
    stub: Stub, collection: str, salted: bytes, signed: debits.Signed, *under: str
) -> None:
    """Keep the debit as it was signed, for the auditor."""
    key = stub.create_composite_key("debit", [*under, stub.transaction_id])
    await stub.put_private(collection, key, salted + signed.encode())
