# SPDX-License-Identifier: Apache-2.0
"""Onboarding by claim code: offered by the DSO, presented with the device's answer, then settled.

Public `claim`: {"through", "tries", "state", "attempt"}; its id is a random number. Private are the
offer (digest of the code, the device without its key) and the last attempt.

Presenting compares nothing: it only counts and keeps. Settling compares what was kept. So nobody
learns anything of a code from an endorsement he never sends to be ordered, and the number of
guesses is the number of committed tries. Every refusal is `claim-refused`, whatever does not hold.
"""

from typing import Final

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document, checked, load, read, refusals, save
from pedchain_chaincode.metering import keys, names, people, registration
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import documents as schemas
from pedchain_domain import onboarding
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal

OPEN: Final = "open"
USED: Final = "used"
WITHDRAWN: Final = "withdrawn"
EXHAUSTED: Final = "exhausted"


async def offer(ctx: Context, fence: Fence) -> None:
    """The DSO expects a device: transient `document` claim/1 and `salt`, never the code."""
    claim = people.sent(ctx, "document", "claim/1")
    with refusals():
        schemas.check_template(claim["device"])
    if claim["through"] < fence.period:
        raise Refusal("malformed-document", "through")
    vault = await names.vault(ctx)
    device = await names.translated(ctx, claim["device"])
    stub = ctx.stub
    if await load(stub, keys.claim(stub, claim["id"])) is not None:
        raise Refusal("already-registered")
    if await load(stub, keys.device(stub, device["id"])) is not None:
        raise Refusal("already-registered")
    if await load(stub, keys.point(stub, device["point"])) is None:
        raise Refusal("unknown-point")
    salt = derive_salt("claim", [names.salt(ctx).hex(), claim["id"]])
    await vault.save(("claim", claim["id"]), {**claim, "device": device, "salt": salt})
    state = {"through": claim["through"], "tries": 0, "state": OPEN, "attempt": None}
    await save(stub, keys.claim(stub, claim["id"]), state)


async def present(ctx: Context, fence: Fence, claim_id: str, state: Document | None) -> None:
    """A try: transient `code`, `possession` (signed by the new key) and `salt`."""
    live = _live(fence, state)
    code = ctx.stub.transient.get("code", b"")
    possession = ctx.stub.transient.get("possession", b"")
    small = 0 < len(code) <= limits.CODE_BYTES and len(possession) <= limits.POSSESSION_BYTES
    if live["tries"] >= limits.CLAIM_TRIES or not small or not code.isascii():
        raise Refusal("claim-refused")
    try:
        answer = checked(read(possession), "possession/1")
    except Refusal as error:
        raise Refusal("claim-refused") from error
    vault = await names.vault(ctx)
    attempt = {
        "salt": derive_salt("attempt", [names.salt(ctx).hex(), claim_id]),
        "code": onboarding.code_digest(claim_id, code.decode()),
        "possession": answer,
    }
    await vault.save(("attempt", claim_id), attempt)
    tried = {**live, "tries": live["tries"] + 1, "attempt": ctx.stub.transaction_id}
    await save(ctx.stub, keys.claim(ctx.stub, claim_id), tried)


async def settle(ctx: Context, fence: Fence, claim_id: str, state: Document | None) -> None:
    """Judge the last try: the device is registered with its key, or nothing is said."""
    live = _live(fence, state)
    vault = await names.vault(ctx)
    held = await vault.load_many([("claim", claim_id), ("attempt", claim_id)])
    claim, attempt = held
    if live["attempt"] is None or claim is None or attempt is None:
        raise Refusal("claim-refused")
    device = onboarding.accepts(
        claim, attempt["code"], attempt["possession"], fence.network, ctx.stub.channel_id
    )
    after = USED if device else EXHAUSTED if live["tries"] >= limits.CLAIM_TRIES else OPEN
    if device is not None:
        await registration.register(ctx, [device])
    await vault.remove(("attempt", claim_id))
    settled = {**live, "state": after, "attempt": None}
    await save(ctx.stub, keys.claim(ctx.stub, claim_id), settled)


async def withdraw(ctx: Context, claim_id: str, state: Document | None) -> None:
    """The DSO takes a claim back, say because its code was lost."""
    if state is None or state["state"] not in (OPEN, WITHDRAWN):
        raise Refusal("claim-refused")
    withdrawn = {**state, "state": WITHDRAWN, "attempt": None}
    await save(ctx.stub, keys.claim(ctx.stub, claim_id), withdrawn)


def _live(fence: Fence, state: Document | None) -> Document:
    """The claim's state if it may still be tried; expiry is by filing periods, not by a clock."""
    if state is None or state["state"] != OPEN or fence.period > state["through"]:
        raise Refusal("claim-refused")
    return state
