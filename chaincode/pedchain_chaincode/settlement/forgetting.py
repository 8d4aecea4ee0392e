# SPDX-License-Identifier: Apache-2.0
"""A session's private documents at the end of their retention (rules Y).

What stays is public: the session with its states and what was printed of it; and each account's own
balance. Nothing that somebody has still to take is purged.
"""

from pedchain_chaincode.documents import Document
from pedchain_chaincode.settlement import clearing, limits, outcome
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.session import State
from pedchain_fabric.shim import Refusal

_OVER = (str(State.SETTLED), str(State.VOID))


async def purge(book: Book, session: Document, clock: int) -> Document:
    """Purge; the session afterwards. Refuses `wrong-state` before it is over and while something
    of it was not taken, `too-early` within the retention."""
    name = session["id"]
    if session["state"] not in _OVER or session["purged"]:
        raise Refusal("wrong-state", session["state"])
    if clock < session["times"]["ends"] + limits.RETENTION:
        raise Refusal("too-early")
    for side in clearing.SIDES:
        if await book.ids(side, name, 1):
            raise Refusal("wrong-state", "take")
    kinds = (outcome.CLEARED, outcome.DUE, "weighed")
    shards = [(kind, name, shard) for kind in kinds for shard in range(session["shards"])]
    chunks = [("chunk", name, number) for number in range(session["chunks"])]
    for document in [*shards, *chunks, ("trades", name), ("settled", name)]:
        await book.purge(document)
    return {**session, "shards": 0, "chunks": 0, "purged": True}
