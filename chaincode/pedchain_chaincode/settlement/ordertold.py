# SPDX-License-Identifier: Apache-2.0
"""What became of one order: the debits that changed it, and what came of it in each session.

    {changes: [{transaction, at, account, counter, action, body}],
     sessions: {id: {state, wh, kept}}}

The public markers of the order and its lines say which transactions wrote them, and the debits kept
with those say who signed what; `at` is the time the client of a transaction claimed, UTC s, and
nothing here rests on it. `wh` of a session that was cleared is what of the order traded, `kept`
what of its deposit stayed, µcur.
"""

from pedchain_chaincode.documents import Document, load, refusals
from pedchain_chaincode.limits import SALT_BYTES
from pedchain_chaincode.settlement import keys, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.orders import ORDER, SIDES
from pedchain_domain import debit
from pedchain_domain.debit import Debit
from pedchain_domain.market.orders import Kind
from pedchain_fabric.shim import Refusal

_NS = 1_000_000_000


async def told(book: Book, account: str, order: str) -> Document:
    """An account's order from its first debit on. Refuses `not-found`."""
    at = await _marker_writes(book, ORDER, book.tag(account), order)
    if not at:
        raise Refusal("not-found")
    placed = min(
        [await _debit(book, transaction) for transaction in at], key=lambda one: one.counter
    ).body
    names = sorted(placed["tokens"])
    for name in names:
        at |= await _marker_writes(book, SIDES[Kind(placed["side"])], name, order)
    found = [(await _debit(book, transaction), transaction) for transaction in at]
    found.sort(key=lambda one: one[0].counter)
    changes = [_signed(made, transaction, at[transaction]) for made, transaction in found]
    sessions = {name: await _session(book, account, order, name) for name in names}
    return {"changes": changes, "sessions": sessions}


async def _marker_writes(book: Book, kind: str, owner: str, order: str) -> dict[str, int]:
    """The transactions that wrote a marker, with the time each claimed."""
    key = keys.marked(book.stub, kind, owner, order)
    return {one.transaction_id: one.timestamp_ns // _NS async for one in book.stub.history(key)}


async def _debit(book: Book, transaction: str) -> Debit:
    periods = range(book.setup.period + 1)
    wanted = [keys.debit(book.stub, period, transaction) for period in periods]
    found = await book.stub.get_privates(keys.COLLECTION, wanted)
    value = next((one for one in found if one is not None), None)
    if value is None:
        raise Refusal("private-data-missing")
    with refusals():
        return debit.decode(value[SALT_BYTES:]).debit


def _signed(made: Debit, transaction: str, at: int) -> Document:
    signed = {"account": made.account, "counter": made.counter, "action": made.action}
    return {"transaction": transaction, "at": at, **signed, "body": dict(made.body)}


async def _session(book: Book, account: str, order: str, name: str) -> Document:
    session = await load(book.stub, keys.session(book.stub, name))
    if session is None:
        raise Refusal("unknown-session")
    told: Document = {"state": session["state"], "wh": None, "kept": None}
    if session["purged"]:
        return told
    cleared = (await outcome.of(book, account, session))[outcome.CLEARED]
    row = None if cleared is None else cleared["orders"].get(order)
    return told if row is None else {**told, "wh": row[0], "kept": row[1]}
