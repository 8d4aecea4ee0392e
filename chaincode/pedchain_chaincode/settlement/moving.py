# SPDX-License-Identifier: Apache-2.0
"""What an account's signed debit does to its tokens (ERC-1155 semantics, rules K12)."""

from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, refusals
from pedchain_chaincode.settlement import accounts, limits, rows
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.guards import Spending
from pedchain_domain import canonical, text
from pedchain_domain.limits import REGISTER_WH
from pedchain_domain.market import tokenid
from pedchain_fabric.shim import Refusal


class Transfer(NamedTuple):
    """Tokens that go from one account to another."""

    source: str
    target: str
    tokens: list[int]
    quantities: list[int]


def transfer_of(body: Document) -> Transfer:
    """The transfer a debit's body {from, to, tokens, quantities} asks for. Money moves by
    settlement alone: refuses `not-transferable`."""
    if sorted(body) != ["from", "quantities", "to", "tokens"]:
        raise Refusal("malformed-document", "body")
    tokens, quantities = body["tokens"], body["quantities"]
    if not isinstance(tokens, list) or not isinstance(quantities, list):
        raise Refusal("malformed-document", "body")
    if len(tokens) != len(quantities) or not tokens:
        raise Refusal("lengths-differ")
    if len(tokens) > limits.BATCH_TOKENS:
        raise Refusal("too-many")
    with refusals():
        source, target = canonical.check_id(body["from"]), canonical.check_id(body["to"])
        found = [tokenid.from_hex(text) for text in tokens]
    if len(dict.fromkeys(found)) != len(found):
        raise Refusal("duplicate-token")
    if tokenid.MONEY in found:
        raise Refusal("not-transferable")
    return Transfer(source, target, found, [amount_of(wh) for wh in quantities])


def amount_of(value: Any) -> int:
    """A quantity or amount that is one. Refuses `bad-quantity`."""
    if type(value) is not int or not 0 < value <= REGISTER_WH:
        raise Refusal("bad-quantity")
    return value


async def transfer(book: Book, asked: Transfer, spender: str) -> None:
    """Move tokens of the spender, or of an account that has approved the spender."""
    if asked.source != spender:
        approval = await book.load("approval", asked.source, spender)
        if approval is None or not approval["approved"]:
            raise Refusal("not-owner")
    if asked.target == asked.source:
        raise Refusal("malformed-document", "to")
    await accounts.known(book, asked.target)
    for token, quantity in zip(asked.tokens, asked.quantities, strict=True):
        await rows.change(book, asked.source, token, -quantity)
        await rows.give(book, asked.target, token, quantity)


async def approve(spent: Spending) -> None:
    """Let another account move all of this one's energy tokens, or no longer."""
    body = spent.debit.body
    if sorted(body) != ["approved", "operator"] or type(body["approved"]) is not bool:
        raise Refusal("malformed-document", "body")
    with refusals():
        operator = canonical.check_id(body["operator"])
    if operator == spent.debit.account:
        raise Refusal("malformed-document", "operator")
    await accounts.known(spent.book, operator)
    name = ("approval", spent.debit.account, operator)
    await spent.book.save(name, {"approved": body["approved"]})


async def fold(spent: Spending) -> None:
    """Fold the credits {credits: [id]} into the account's rows."""
    body = spent.debit.body
    if sorted(body) != ["credits"] or not isinstance(body["credits"], list):
        raise Refusal("malformed-document", "body")
    for one in body["credits"]:
        if not isinstance(one, str) or not text.is_id(one, limits.IDENTIFIER):
            raise Refusal("malformed-id")
    await rows.fold(spent.book, spent.debit.account, body["credits"])


async def redeem(spent: Spending, clock: int) -> None:
    """Burn money {amount}, to be paid out at par by the clearing operator: payout {amount, at}."""
    book, body = spent.book, spent.debit.body
    if sorted(body) != ["amount"]:
        raise Refusal("malformed-document", "body")
    amount = amount_of(body["amount"])
    await rows.change(book, spent.debit.account, tokenid.MONEY, -amount)
    await rows.supplied(book, tokenid.MONEY, -amount)
    owner = book.tag(spent.debit.account)
    await book.mark(rows.PAYOUT, owner, book.identifier(), {"amount": amount, "at": clock})


def limit_of(body: Document) -> int:
    """The limit {limit} an owner sets on its open deposits, µcur."""
    if sorted(body) != ["limit"]:
        raise Refusal("malformed-document", "body")
    limit = body["limit"]
    if type(limit) is not int or not 0 <= limit <= REGISTER_WH:
        raise Refusal("bad-quantity")
    return limit
