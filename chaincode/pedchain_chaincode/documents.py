# SPDX-License-Identifier: Apache-2.0
"""Documents as contracts take them in and keep them: strict in, canonical on the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pedchain_chaincode import limits
from pedchain_chaincode.state import Document, restore, store
from pedchain_domain import canonical
from pedchain_domain import documents as schemas
from pedchain_domain.reasons import DomainError
from pedchain_fabric.shim import Context, Refusal, Stub

__all__ = [
    "Document",
    "checked",
    "found",
    "identifier",
    "load",
    "load_many",
    "read",
    "read_array",
    "refusals",
    "save",
]


@contextmanager
def refusals() -> Iterator[None]:
    """What a domain rule refuses, the contract refuses, by the same reason and nothing else."""
    try:
        yield
    except DomainError as error:
        raise Refusal(str(error.reason)) from error


def identifier(text: object) -> str:
    """An argument that must be an id."""
    with refusals():
        return canonical.check_id(text)


def read(data: bytes) -> Document:
    """A client's document. Refuses what is not strict JSON or not an object."""
    with refusals():
        value = canonical.decode(data, canonical.Limits(size=limits.DOCUMENT_BYTES))
    if not isinstance(value, dict):
        raise Refusal("malformed-document")
    return value


def read_array(data: bytes, size: int) -> list[Document]:
    """A client's array of at most `size` documents."""
    with refusals():
        value = canonical.decode(data, canonical.Limits(size=limits.DOCUMENT_BYTES))
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refusal("malformed-document")
    if len(value) > size:
        raise Refusal("too-large")
    return [item for item in value if isinstance(item, dict)]


def checked(document: Document, schema: str) -> Document:
    """The document, if it is a valid one of that schema."""
    if document.get("schema") != schema:
        raise Refusal("malformed-document", "schema")
    with refusals():
        return schemas.check(document)


async def load(stub: Stub, key: str) -> Document | None:
    """The document under a public key, as this contract wrote it."""
    return _restored(await stub.get_state(key))


async def found(ctx: Context, key: str) -> Document:
    """The document under a public key, or `not-found`."""
    document = await load(ctx.stub, key)
    if document is None:
        raise Refusal("not-found")
    return document


async def load_many(stub: Stub, keys: Sequence[str]) -> list[Document | None]:
    """The documents under public keys, in their order."""
    if not keys:
        return []
    return [_restored(value) for value in await stub.get_states(keys)]


async def save(stub: Stub, key: str, document: Document) -> None:
    """Write a document under a public key."""
    await stub.put_state(key, store(document))


def _restored(value: bytes | None) -> Document | None:
    if value is None:
        return None
    document = restore(value)
    assert isinstance(document, dict)
    return document
