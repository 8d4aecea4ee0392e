# SPDX-License-Identifier: Apache-2.0
"""Orders as members place them, and the markets they are for (rules K1 to K3, paper B).

    order body   {side: OFFER | BID, tokens: [hex64], quantities: [Wh], prices: [µcur/kWh],
                  origin: follows | energy-only}     the last may be left out: it follows

The arrays go together. Certificates of origin go with what is sold unless one side's order says
`energy-only` (rules P2). One order may span carriers, zones and hours; its lines are independent.
In paper B `RegisterOrder` files an order under the k-th session type where it means the k-th
involved market, so that an electricity order lands in the heat market, and
`DetermineInvolvedMarkets` never advances its counter and names a market twice: here a line belongs
to the one session its product names, and each session is named once.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pedchain_domain.market import deposit, tokenid
from pedchain_domain.market.clearing import TICK
from pedchain_domain.market.following import ENERGY_ONLY, FOLLOWS
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Product
from pedchain_domain.reasons import DomainError, Reason

MINIMUM_WH = 100
MAXIMUM_WH = 1_000_000_000
LINES = 48
OPEN_ORDERS = 10
_FIELDS = ["prices", "quantities", "side", "tokens"]


class Kind(StrEnum):
    """Which side of the market an order is on."""

    OFFER = "OFFER"
    BID = "BID"


class OrderLine(NamedTuple):
    """One line: product and its id, Wh, limit in µcur per kWh."""

    token: int
    product: Product
    quantity: int
    limit: int

    @property
    def session(self) -> str:
        """Id of the session it is for."""
        return session_id(self.product.carrier, self.product.zone, self.product.start)


class Order(NamedTuple):
    """A checked order."""

    kind: Kind
    lines: tuple[OrderLine, ...]
    energy_only: bool = False

    @property
    def sessions(self) -> list[str]:
        """Ids of the sessions it involves, each once, ascending."""
        return sorted({line.session: None for line in self.lines})


def check(body: Mapping[str, Any], minimum: int = MINIMUM_WH) -> Order:
    """An order that says what it must, lines of at least `minimum` Wh; DomainError.

    `malformed-document`, `lengths-differ`, `too-many`, `unknown-token` (also money, a producer's
    token or a quarter: sessions trade whole hours), `duplicate-token`, `bad-quantity`, `bad-price`.
    """
    told = sorted(name for name in body if name != "origin")
    if told != _FIELDS or body["side"] not in list(Kind):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "order")
    if body.get("origin", FOLLOWS) not in (FOLLOWS, ENERGY_ONLY):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "origin")
    tokens, quantities, prices = body["tokens"], body["quantities"], body["prices"]
    if not all(isinstance(array, list) for array in (tokens, quantities, prices)):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "order")
    if not len(tokens) == len(quantities) == len(prices) or not tokens:
        raise DomainError(Reason.LENGTHS_DIFFER)
    if len(tokens) > LINES:
        raise DomainError(Reason.TOO_MANY)
    if len(dict.fromkeys(map(str, tokens))) != len(tokens):
        raise DomainError(Reason.DUPLICATE_TOKEN)
    lines = (_line(minimum, *row) for row in zip(tokens, quantities, prices, strict=True))
    return Order(Kind(body["side"]), tuple(lines), body.get("origin") == ENERGY_ONLY)


def _line(minimum: int, text: object, quantity: object, limit: object) -> OrderLine:
    token = tokenid.from_hex(text)
    if token == tokenid.MONEY:
        raise DomainError(Reason.UNKNOWN_TOKEN)
    product = tokenid.product_of(token)
    if product.producer or product.quarter is not None:
        raise DomainError(Reason.UNKNOWN_TOKEN)
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise DomainError(Reason.BAD_QUANTITY)
    if not minimum <= quantity <= MAXIMUM_WH:
        raise DomainError(Reason.BAD_QUANTITY)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0 or limit % TICK:
        raise DomainError(Reason.BAD_PRICE)
    return OrderLine(token, product, quantity, limit)


def determine_involved_markets(tokens: Sequence[object]) -> list[str]:
    """Ids of the sessions of some tokens (hex), each once; DomainError `unknown-token`."""
    found: dict[str, None] = {}
    for text in tokens:
        product = tokenid.product_of(tokenid.from_hex(text))
        found[session_id(product.carrier, product.zone, product.start)] = None
    return sorted(found)


def deposits(order: Order, retail: Callable[[OrderLine], int]) -> list[int]:
    """The deposit of each line, µcur: together what the owner can lose at most (rules K9).

    `retail` gives a line's reference; DomainError `bad-price` for a limit above it (rules K2).
    """
    found = []
    for line in order.lines:
        reference = retail(line)
        if line.limit > reference:
            raise DomainError(Reason.BAD_PRICE)
        if order.kind == Kind.BID:
            found.append(deposit.of_bid(line.quantity, line.limit))
        else:
            found.append(deposit.of_offer(line.quantity, line.limit, reference))
    return found
