# SPDX-License-Identifier: Apache-2.0
"""Balances: one spendable row per account and token, and credits until they are folded into it.

A debit reads and writes its row by explicit key, so of two spends of one balance only one commits.
A credit is a document of its own, so credits never conflict, and no flood of small ones can hold up
a debit. The account folds credits into its row itself, naming them, so that a fold reads no range
a new credit could disturb.

    row     {token, amount}         credit  {token, amount}         payout  {amount, at}
"""

from collections.abc import Mapping, Sequence

from pedchain_chaincode.settlement import limits
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.state import Document
from pedchain_domain.limits import REGISTER_WH
from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim import Refusal

ROW, CREDIT, SUPPLY, PAYOUT = "row", "credit", "supply", "payout"


async def spendable(book: Book, account: str, token: int) -> int:
    """What an account can spend of a token now."""
    row = await book.marked(ROW, book.tag(account), book.tag(account, token))
    return 0 if row is None else int(row["amount"])


async def change(book: Book, account: str, token: int, amount: int) -> None:
    """Add to an account's row, or take from it; once per row in a transaction. Refuses
    `insufficient-funds`."""
    await change_all(book, account, {token: amount})


async def change_all(book: Book, account: str, amounts: Mapping[int, int]) -> None:
    """The same of several rows at once, by token."""
    owner, tokens = book.tag(account), sorted(amounts)
    names = [book.tag(account, token) for token in tokens]
    held = await book.marked_many(ROW, owner, names)
    for token, name, row in zip(tokens, names, held, strict=True):
        left = (0 if row is None else int(row["amount"])) + amounts[token]
        if left < 0:
            raise Refusal("insufficient-funds")
        if left > REGISTER_WH:
            raise Refusal("beyond-limit")
        await book.mark(ROW, owner, name, {"token": to_hex(token), "amount": left})


async def give(book: Book, account: str, token: int, amount: int) -> None:
    """Credit an account."""
    document = {"token": to_hex(token), "amount": amount}
    await book.mark(CREDIT, book.tag(account), book.identifier(), document)


async def supplied(book: Book, token: int, amount: int) -> None:
    """Record that so much of a token was minted, or burnt (negative)."""
    owner = book.tag("supply", token)
    await book.mark(SUPPLY, owner, book.identifier(), {"amount": amount})


async def fold(book: Book, account: str, named: Sequence[str]) -> None:
    """Move credits of one account into its rows."""
    if not 0 < len(named) <= limits.FOLD_CREDITS or sorted(dict.fromkeys(named)) != list(named):
        raise Refusal("malformed-document", "credits")
    owner = book.tag(account)
    found = await book.held(CREDIT, owner, named)
    sums: dict[str, int] = {}
    for credit in found:
        sums[credit["token"]] = sums.get(credit["token"], 0) + credit["amount"]
    await change_all(book, account, {int(token, 16): sums[token] for token in sorted(sums)})
    for identifier in named:
        await book.drop(CREDIT, owner, identifier)


async def page(book: Book, kind: str, owner: str, after: str) -> dict[str, Document]:
    """A page of an owner's documents of a kind by id, ascending, behind `after`."""
    names = await book.ids(kind, owner, limits.PAGE, after)
    found = await book.held(kind, owner, names)
    return dict(zip(names, found, strict=True))
