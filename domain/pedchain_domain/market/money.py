# SPDX-License-Identifier: Apache-2.0
"""The money token: claims in a closed accounting system (rules K12).

    receipt/1 {schema, id, account, amount, network, channel, operator}, signed by the operator

A claim is minted only against the clearing operator's receipt, once per receipt, and redeemed at
par. What a month's sharing comes to moves no claims: it is in the operator's bank file. Members
cannot send each other money: it moves by settlement alone.
"""

from collections.abc import Mapping
from typing import Any

from pedchain_domain import canonical, debit, fields
from pedchain_domain.limits import REGISTER_WH
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import from_hex

AMOUNT = REGISTER_WH
"""The most that one receipt or balance may say, µcur."""

CURRENCY = 1_000_000  # µcur

_SHAPE: fields.Shape = {
    "schema": fields.one_of("receipt/1"),
    "id": fields.identifier,
    "account": fields.identifier,
    "amount": fields.positive,
    "network": fields.identifier,
    "channel": fields.identifier,
    "operator": fields.identifier,
}


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


def bank_file(
    month: str,
    positions: Mapping[str, int],
    payees: Mapping[str, str],
    redeemed: Mapping[str, int] | None = None,
) -> str:
    """The month's payments as CSV: what each account gets (`pay`) or owes (`collect`) for sharing,
    and for claims it gave back, with the bank reference the operator holds of it. DomainError
    `malformed-document` for an account without one, `unbalanced` where what sharing pays is not
    what it collects."""
    if sum(positions.values()):
        raise DomainError(Reason.UNBALANCED)
    given = redeemed or {}
    rows = ["month,account,reference,direction,amount"]
    for name in sorted({**positions, **given}):
        if name not in payees or not fields.identifier(payees[name]):
            raise DomainError(Reason.MALFORMED_DOCUMENT, "payees")
        net = positions.get(name, 0) + given.get(name, 0)
        whole, rest = divmod(abs(net), CURRENCY)
        way = "pay" if net >= 0 else "collect"
        rows.append(f"{month},{name},{payees[name]},{way},{whole}.{rest:06d}")
    return "".join(f"{row}\r\n" for row in rows)
