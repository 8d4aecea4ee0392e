# SPDX-License-Identifier: Apache-2.0
"""What happens to a registered device: its key is rotated, revoked, it is suspended, exchanged.

What both meters read at an exchange stands in the vault, one document per old device.

A rotation is agreed by both keys: `signatures` hold one over the same canonical bytes by the old
and one by the new key, so neither a thief of the old one alone nor a carrier can bind another key.
"""

from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.documents import Document, checked, load, read, refusals, save
from pedchain_chaincode.metering import guards, keys, names
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import roster as rosters
from pedchain_domain import signed
from pedchain_domain.readings import derive_salt
from pedchain_fabric.shim import Context, Refusal

CONTRACT = "metering"


def rotation_bytes(body: Document, network: str, channel: str) -> bytes:
    """What both keys sign: the rotation with the ledger and contract it is meant for."""
    return signed.message(body, network=network, channel=channel, contract=CONTRACT)


async def rotation(ctx: Context, argument: bytes, fence: Fence) -> tuple[Document, Document]:
    """The device's entry and the rotation with its pseudonym, once both signatures hold.

    They are over the document as it was sent, be its device named or under its pseudonym.
    """
    sent = ctx.stub.transient.get("document")
    document = read(argument if sent is None else sent)
    signatures = document.get("signatures")
    body = checked(signed.unsigned(document, "signatures"), "rotate/1")
    if not isinstance(signatures, dict) or sorted(signatures) != ["new", "old"]:
        raise Refusal("malformed-document", "signatures")
    device = await names.resolve(ctx, body["device"]) if sent is not None else body["device"]
    entry = await guards.device(ctx, device)
    message = rotation_bytes(body, fence.network, ctx.stub.channel_id)
    with refusals():
        signed.verify(entry["document"]["key"]["spki"], message, signatures["old"])
        signed.verify(body["key"]["spki"], message, signatures["new"])
    return entry, {**body, "device": device}


async def revocation(ctx: Context, argument: bytes) -> tuple[Document, int | None]:
    """The revocation and, if named, the instant from which readings are in doubt."""
    sent = ctx.stub.transient.get("document")
    document = read(argument if sent is None else sent)
    since = document.get("compromised_since")
    if since is not None and (type(since) is not int or since < 0):
        raise Refusal("malformed-document", "compromised_since")
    body = checked(signed.unsigned(document, "compromised_since"), "revoke/1")
    return (body if sent is None else await names.translated(ctx, body)), since


async def exchange(ctx: Context, entry: Document, body: Document) -> None:
    """Apply a checked exchange: what the meters read goes to the vault, the rest to the roster."""
    stub, name = ctx.stub, body["old"]
    roster = await load(stub, keys.roster(stub, entry["cell"]))
    assert roster is not None
    vault = await names.vault(ctx)
    known = await registers_of(vault, [name])
    before = rosters.exchanged(roster, known)
    with refusals():
        after = rosters.add(before, body)
    if after == before:
        return
    await save(stub, keys.roster(stub, entry["cell"]), rosters.public(after))
    await save(stub, keys.device(stub, name), {**entry, "document": after["devices"][name]})
    salt = derive_salt("exchange", [names.salt(ctx).hex(), name])
    await vault.save(("exchange", name), {"salt": salt, **rosters.exchange_registers(body)})


async def registers_of(vault: Vault, devices: Sequence[str]) -> dict[str, Document]:
    """What meters read when they were exchanged, by the old device, where it is still kept."""
    held = await vault.load_many([("exchange", name) for name in devices])
    return {
        name: rosters.exchange_registers(document)
        for name, document in zip(devices, held, strict=True)
        if document is not None
    }


async def change(ctx: Context, entry: Document, body: Document, since: int | None = None) -> None:
    """Apply a checked rotation, revocation or suspension to the roster and the device's entry."""
    stub = ctx.stub
    roster = await load(stub, keys.roster(stub, entry["cell"]))
    assert roster is not None
    with refusals():
        after: dict[str, Any] = rosters.add(roster, body)
    name = body["device"]
    if since is not None:
        compromised = dict(after.get("compromised", {}))
        compromised[name] = min(since, compromised.get(name, since))
        after = {**after, "compromised": compromised}
    if after == roster:
        return
    await save(stub, keys.roster(stub, entry["cell"]), after)
    changed = {**entry, "document": after["devices"][name]}
    if since is not None:
        changed["compromised_since"] = after["compromised"][name]
    await save(stub, keys.device(stub, name), changed)
