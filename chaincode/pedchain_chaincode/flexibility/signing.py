# SPDX-License-Identifier: Apache-2.0
"""Signed papers as they come in the transient map: read strictly, verified in slices."""

from collections.abc import Sequence
from typing import NamedTuple

from pedchain_chaincode.documents import Document, load_many, read, read_array, refusals
from pedchain_chaincode.flexibility import limits
from pedchain_chaincode.metering import keys
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import fields, lifecycle, signed
from pedchain_domain.flexibility import papers
from pedchain_domain.reasons import DomainError, Reason
from pedchain_fabric.shim import Context, Refusal


class Claimed(NamedTuple):
    """A paper, what its signer signed, and by which key."""

    document: Document
    message: bytes
    signature: object
    spki: str


def paper(ctx: Context, name: str) -> Document:
    """The one paper of that name. Refuses `malformed-document`."""
    found = read(ctx.stub.transient.get(name, b"null"))
    with refusals():
        papers.opened(found)
    return found


def several(ctx: Context, name: str, shape: fields.Shape) -> list[Document]:
    """Papers of one shape, at least one. Refuses `malformed-document`, `too-large`."""
    found = read_array(ctx.stub.transient.get(name, b"null"), limits.PAPERS)
    if not found:
        raise Refusal("malformed-document", name)
    with refusals():
        for one in found:
            fields.check(papers.opened(one), shape)
    return found


async def verified(ctx: Context, found: Sequence[Claimed]) -> None:
    """Refuse `bad-signature` or `malformed-signature` unless each was signed by its key."""
    for reason in await ctx.in_slices(lambda some: [_judge(one) for one in some], found):
        if reason is not None:
            raise Refusal(str(reason))


def _judge(one: Claimed) -> Reason | None:
    try:
        signed.verify(one.spki, one.message, one.signature)
    except DomainError as error:
        return error.reason
    return None


async def by_devices(ctx: Context, fence: Fence, found: Sequence[Document]) -> None:
    """Refuse papers that the devices they name did not sign with the keys they have now:
    `unknown-device`, `revoked-key`, `suspended`, and the reasons of `verified`."""
    named = [one["document"]["device"] for one in found]
    entries = await load_many(ctx.stub, [keys.device(ctx.stub, name) for name in named])
    contract = papers.contract_of(fence.district)
    claims = []
    for one, entry in zip(found, entries, strict=True):
        why = unusable(entry)
        if entry is None or why is not None:
            raise Refusal(str(why))
        if entry["site"] != one["document"]["site"]:
            raise Refusal("key-meter-mismatch")
        message = papers.message(one["document"], fence.network, ctx.stub.channel_id, contract)
        key = entry["document"]["key"]["spki"]
        claims.append(Claimed(one["document"], message, one["signature"], key))
    await verified(ctx, claims)


def unusable(entry: Document | None) -> Reason | None:
    """Why a device, by its entry, can sign nothing now."""
    if entry is None:
        return Reason.UNKNOWN_DEVICE
    state = lifecycle.state_of(entry["document"])
    if state == lifecycle.SUSPENDED:
        return Reason.SUSPENDED
    return None if state == lifecycle.ACTIVE else Reason.REVOKED_KEY
