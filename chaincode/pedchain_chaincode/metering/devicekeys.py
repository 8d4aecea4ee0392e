# SPDX-License-Identifier: Apache-2.0
"""What happens to a registered device: its key is rotated, revoked, its meter exchanged.

A rotation is agreed by both keys: `signatures` hold one over the same canonical bytes by the old
and one by the new key, so neither a thief of the old one alone nor a carrier can bind another key.
"""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_chaincode.documents import Document, checked, load, refusals, save
from pedchain_chaincode.metering import keys
from pedchain_domain import canonical, der
from pedchain_domain import roster as rosters
from pedchain_domain.text import from_hex
from pedchain_fabric.shim import Context, Refusal

CONTRACT = "metering"


def rotation_bytes(body: Document, network: str, channel: str) -> bytes:
    """What both keys sign: the rotation with the ledger and contract it is meant for."""
    domain = {"channel": channel, "contract": CONTRACT, "network": network}
    return canonical.encode({"domain": domain, "body": body})


def signed_rotation(document: Document, entry: Document, network: str, channel: str) -> Document:
    """The rotation without its signatures, once both of them hold."""
    signatures = document.get("signatures")
    body = checked({k: v for k, v in document.items() if k != "signatures"}, "rotate/1")
    if not isinstance(signatures, dict) or sorted(signatures) != ["new", "old"]:
        raise Refusal("malformed-document", "signatures")
    message = rotation_bytes(body, network, channel)
    for name, key in (("old", entry["document"]["key"]), ("new", body["key"])):
        _verify(key["spki"], message, signatures[name])
    return body


def _verify(spki: str, message: bytes, signature_hex: object) -> None:
    signature = from_hex(signature_hex) if isinstance(signature_hex, str) else None
    if signature is None:
        raise Refusal("malformed-signature")
    with refusals():
        der.signature_values(signature)
        key = der.public_key(spki)
    try:
        key.verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise Refusal("bad-signature") from error


def revocation(document: Document) -> tuple[Document, int | None]:
    """The revocation and, if named, the instant from which readings are in doubt."""
    since = document.get("compromised_since")
    if since is not None and (type(since) is not int or since < 0):
        raise Refusal("malformed-document", "compromised_since")
    body = {k: v for k, v in document.items() if k != "compromised_since"}
    return checked(body, "revoke/1"), since


async def change(ctx: Context, entry: Document, body: Document, since: int | None = None) -> None:
    """Apply a checked rotation, revocation or exchange to the roster and the device's entry."""
    stub = ctx.stub
    roster = await load(stub, keys.roster(stub, entry["cell"]))
    assert roster is not None
    with refusals():
        after: dict[str, Any] = rosters.add(roster, body)
    name = body["device"] if "device" in body else body["old"]
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
