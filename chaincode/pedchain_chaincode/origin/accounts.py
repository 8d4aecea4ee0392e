# SPDX-License-Identifier: Apache-2.0
"""Accounts: pseudonyms that own certificates, each with the key that alone can spend for it.

    account/1 {schema, id, key: {alg, spki}, site: id | null, from: UTC s, national: 0 | 1}

The DSO opens an account that its own key has asked for; with a site, what that site generates from
an instant on is the account's. The site's cell comes beside it: looking it up would put the site
into the block's read set, and a cell is a dozen sites. `national` says that the plant's energy
also gets a national guarantee of origin, which must be cancelled before a certificate may leave
(rules G6). Only the collection knows which site an account is of.
"""

from typing import Any

from pedchain_chaincode.documents import Document, load, read, refusals
from pedchain_chaincode.metering import keys as metering
from pedchain_chaincode.origin.book import Book
from pedchain_domain import canonical, debit, der
from pedchain_domain.limits import LATEST_INSTANT
from pedchain_domain.text import from_hex, integer
from pedchain_fabric.shim import Refusal

FIELDS = ["from", "id", "key", "national", "schema", "site"]


def requested(data: bytes, domain: debit.Domain) -> Document:
    """The account a key asks for: {"account": account/1, "signature": hex}."""
    found = read(data)
    body = found.get("account")
    if sorted(found) != ["account", "signature"] or not isinstance(body, dict):
        raise Refusal("malformed-document")
    _check(body)
    possession(body["key"]["spki"], body, domain, found["signature"])
    return body


def request_bytes(body: Document, domain: debit.Domain) -> bytes:
    """What an account's key signs to be opened, or a new key to take over."""
    named = {"network": domain.network, "channel": domain.channel, "contract": domain.contract}
    return canonical.encode({"domain": named, "body": body})


def possession(spki: str, body: Document, domain: debit.Domain, signature: object) -> None:
    """Whether a key signed for itself."""
    raw = from_hex(signature) if isinstance(signature, str) else None
    if raw is None:
        raise Refusal("malformed-signature")
    with refusals():
        debit.verify(spki, request_bytes(body, domain), raw)


def _check(body: Document) -> None:
    if sorted(body) != FIELDS or body["schema"] != "account/1" or body["national"] not in (0, 1):
        raise Refusal("malformed-document")
    with refusals():
        canonical.check_id(body["id"])
        if body["site"] is not None:
            canonical.check_id(body["site"])
    if type(body["from"]) is not int or not 0 <= body["from"] <= LATEST_INSTANT:
        raise Refusal("malformed-document", "from")
    key_of(body["key"])


def key_of(key: object) -> Document:
    """A registered key's document, checked."""
    if not isinstance(key, dict) or sorted(key) != ["alg", "spki"] or key["alg"] != "ES256":
        raise Refusal("malformed-key")
    if not isinstance(key["spki"], str):
        raise Refusal("malformed-key")
    with refusals():
        der.public_key(key["spki"])
    return key


async def open_account(book: Book, body: Document, holders: Document) -> None:
    """Write the account and, with a site, that it holds what the site generates from then on."""
    known = await book.vault.load("account", body["id"])
    if known is not None:
        if {name: known[name] for name in FIELDS} != {**body, "key": known["key"]}:
            raise Refusal("already-registered")
        return
    fresh: Document = {"salt": book.fresh("account", body["id"]), "counter": 0, "cell": None}
    if body["site"] is not None:
        fresh["cell"] = await _cell(book, body["site"])
        await _hold(book, body, holders)
    await book.vault.save(("account", body["id"]), {**body, **fresh})


async def _hold(book: Book, body: Document, holders: Document) -> None:
    rows: list[Any] = list(holders["rows"])
    if rows and body["from"] <= rows[-1][0]:
        raise Refusal("already-registered", "from")
    rows.append([body["from"], body["id"], body["national"]])
    document = {"salt": book.fresh("holders", body["site"]), "rows": rows}
    await book.vault.save(("holders", body["site"]), document)


async def _cell(book: Book, site: str) -> int:
    """The cell in transient `cell`, if the site is in it. Refuses `unknown-site`."""
    text = book.ctx.stub.transient.get("cell", b"")
    cell = integer(text.decode("ascii", "replace"), 9)
    if cell is None or cell < 0:
        raise Refusal("malformed-document", "cell")
    roster = await load(book.ctx.stub, metering.roster(book.ctx.stub, cell))
    if roster is None or site not in roster["sites"]:
        raise Refusal("unknown-site")
    return cell


def holder_at(holders: Document, hour: int) -> tuple[str, bool] | None:
    """The account that holds a site's hour, and whether its energy gets national guarantees."""
    found = [row for row in holders["rows"] if row[0] <= hour]
    return (found[-1][1], found[-1][2] == 1) if found else None
