# SPDX-License-Identifier: Apache-2.0
"""State keys of the privacy contract. What is public says how far, never about whom."""

from pedchain_fabric.shim import Stub


def retention(stub: Stub) -> str:
    """Up to which day and period private documents were purged."""
    return stub.create_composite_key("retention", [])


def erasure(stub: Stub, transaction_id: str) -> str:
    """The public trace of an erasure's step: how many documents were written anew."""
    return stub.create_composite_key("erasure", [transaction_id])


def erased_batch(stub: Stub, transaction_id: str) -> str:
    """A batch's second place, after records of it were erased."""
    return stub.create_composite_key("batch", [transaction_id, "moved"])
