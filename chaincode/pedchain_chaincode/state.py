# SPDX-License-Identifier: Apache-2.0
"""Bytes of documents this contract itself wrote and the policy endorsed: the one place to read
and write them."""

from typing import Any

from pedchain_domain import canonical

Document = dict[str, Any]
"""A ledger document; `Any` because its schema, not its Python type, says what stands in it."""


def store(value: object) -> bytes:
    """Canonical bytes of a document made by this contract."""
    return canonical.encode(value)


def restore(data: bytes) -> Any:
    """The document that `store` wrote."""
    return canonical.decode(data)
