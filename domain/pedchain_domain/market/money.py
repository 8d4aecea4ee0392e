# SPDX-License-Identifier: Apache-2.0
"""The money token: claims in a closed accounting system (rules K12).

    receipt/1 {schema, id, account, amount, network, channel, operator}, signed by the operator

A claim is minted only against the clearing operator's receipt, once per receipt, and paid out at
par by the operator's bank file from the month's net positions. Members cannot send each other
money: it moves by settlement alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pedchain_domain import canonical, debit, fields
from pedchain_domain.limits import REGISTER_WH
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import from_hex

AMOUNT = REGISTER_WH
"""The most that one receipt or balance may say, µcur."""

_SHAPE: fields.Shape = {
    "schema": fields.one_of("receipt/1"),
    "id": fields.identifier,
    "account": fields.identifier,
    "amount": fields.positive,
    "network": fields.identifier,
    "channel": fields.identifier,
    "operator": fields.identifier,
}


class Flow(NamedTuple):
    """A payment between accounts by settlement, µcur."""

    payer: str
    payee: str
    amount: int


def check_receipt(
    receipt: Mapping[str, Any], signature: object, spki: str, *, network: str, channel: str
) -> None:
    """Whether the clearing operator signed that it holds this much for the account on this ledger;
    DomainError `malformed-document`, `wrong-domain`, `malformed-signature`, `bad-signature`."""
    fields.check(receipt, _SHAPE)
    if (receipt["network"], receipt["channel"]) != (network, channel):
        raise DomainError(Reason.WRONG_DOMAIN)
    raw = from_hex(signature) if isinstance(signature, str) else None
    if raw is None:
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    debit.verify(spki, canonical.encode(dict(receipt)), raw)


def net_positions(flows: Iterable[Flow]) -> dict[str, int]:
    """What each account gets (or, negative, owes) over a period, µcur; they sum to 0."""
    found: dict[str, int] = {}
    for flow in flows:
        found[flow.payer] = found.get(flow.payer, 0) - flow.amount
        found[flow.payee] = found.get(flow.payee, 0) + flow.amount
    return {name: found[name] for name in sorted(found)}
