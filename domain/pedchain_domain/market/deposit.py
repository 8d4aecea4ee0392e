# SPDX-License-Identifier: Apache-2.0
"""Deposits: the most that an order can ever cost its owner (rules K9).

A buyer's is what it would pay for all at its own limit; a seller's what replacing all of it at the
retail reference would cost its buyers beyond the limit. Every later payment is within them, because
no trade is outside anyone's limit. Paper B locks the reference price for both: for a bid above it
that is too little.
"""

MEMBER_LIMIT = 10_000_000
"""Open deposits of one member, µcur, unless the member itself has raised it."""


def amount(quantity: int, price: int) -> int:
    """Wh at µcur per kWh, in µcur; prices are whole µcur per Wh, so nothing is lost (rules N1)."""
    return quantity * price // 1_000


def of_bid(quantity: int, limit: int) -> int:
    """Deposit of a bid line, µcur."""
    return amount(quantity, limit)


def of_offer(quantity: int, limit: int, retail: int) -> int:
    """Deposit of an offer line, µcur; `retail` is the reference in force when it is placed."""
    return amount(quantity, max(0, retail - limit))
