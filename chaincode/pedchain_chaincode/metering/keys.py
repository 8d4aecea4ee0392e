# SPDX-License-Identifier: Apache-2.0
"""The state keys of a metering definition, public and private, all made here.

Public names are public for ever, and so is the hash of a private name: a private key holds a
transaction id, or a keyed hash that only the collection's members can recompute.
"""

import hmac
from typing import Final

from pedchain_fabric.shim import Stub

COLLECTION: Final = "readings"


def fence(stub: Stub) -> str:
    """The open filing period."""
    return stub.create_composite_key("fence", [])


def adoption(stub: Stub) -> str:
    """Which district this definition serves, and from which day which version of it holds."""
    return stub.create_composite_key("adoption", [])


def adopted(stub: Stub, version: int) -> str:
    """One adopted version: district and names and hashes of what it stands on."""
    return stub.create_composite_key("adopted", [str(version)])


def calendar(stub: Stub, calendar_id: str) -> str:
    """An adopted calendar."""
    return stub.create_composite_key("calendar", [calendar_id])


def factors(stub: Stub, version: str) -> str:
    """An adopted factor version."""
    return stub.create_composite_key("factors", [version])


def site(stub: Stub, site_id: str) -> str:
    """A site and the cell it belongs to."""
    return stub.create_composite_key("site", [site_id])


def point(stub: Stub, point_id: str) -> str:
    """A point and its site's cell."""
    return stub.create_composite_key("point", [point_id])


def device(stub: Stub, device_id: str) -> str:
    """A device, its keys by counter, its revocation."""
    return stub.create_composite_key("device", [device_id])


def member(stub: Stub, member_id: str) -> str:
    """A member: key, digest of its identity, term."""
    return stub.create_composite_key("member", [member_id])


def occupancy(stub: Stub, site_id: str) -> str:
    """The public trace of who lives at a site: how often it changed, and a salted digest."""
    return stub.create_composite_key("occupancy", [site_id])


def claim(stub: Stub, claim_id: str) -> str:
    """A device that waits for its key: until when, how often it was tried."""
    return stub.create_composite_key("claim", [claim_id])


def layout(stub: Stub) -> str:
    """How many devices each cell holds."""
    return stub.create_composite_key("layout", [])


def roster(stub: Stub, cell: int) -> str:
    """All sites, points, devices and exchanges of a cell."""
    return stub.create_composite_key("roster", [str(cell)])


def batch_marker(stub: Stub, period: int, shard: str, transaction_id: str) -> str:
    """The public trace of a batch. Sixteen buckets let a long period be ranged in parts."""
    bucket = transaction_id[:1]
    return stub.create_composite_key("batch", [str(period), shard, bucket, transaction_id])


def batch(stub: Stub, transaction_id: str) -> str:
    """The private document of a batch."""
    return stub.create_composite_key("batch", [transaction_id])


def fold(stub: Stub, period: int, shard: int) -> str:
    """How far the fold of one shard's period has come."""
    return stub.create_composite_key("fold", [str(period), str(shard)])


def folded(stub: Stub, shard: int) -> str:
    """The last period folded in a shard."""
    return stub.create_composite_key("folded", [str(shard)])


def naming(stub: Stub) -> str:
    """That this district registers by names: then no name may ever be read as a key."""
    return stub.create_composite_key("naming", [])


def secret_marker(stub: Stub) -> str:
    """Which transaction made the secret that names private documents."""
    return stub.create_composite_key("secret", [])


def moved(stub: Stub) -> str:
    """That private documents may stand under their second key since an erasure or a purge."""
    return stub.create_composite_key("moved", [])


def secret(stub: Stub, transaction_id: str) -> str:
    """The private document that holds this secret."""
    return stub.create_composite_key("secret", [transaction_id])


def closing(stub: Stub) -> str:
    """The first and last closed day, and the runs so far of days that may have more."""
    return stub.create_composite_key("closing", [])


def close(stub: Stub, day: str, run: str) -> str:
    """How far the close of a day has come."""
    return stub.create_composite_key("close", [day, run])


def certificate(stub: Stub, day: str) -> str:
    """The certificate of a day; later runs supersede it, its history keeps all."""
    return stub.create_composite_key("certificate", [day])


def monthly(stub: Stub, month: str) -> str:
    """The certificate of a calendar month; later runs supersede it, its history keeps all."""
    return stub.create_composite_key("monthly", [month])


def sample(stub: Stub, day: str, auditor: str) -> str:
    """What an organisation's auditor found of a day's sample; its history keeps all."""
    return stub.create_composite_key("sample", [day, auditor])


def hidden(stub: Stub, secret_key: bytes, *parts: str | int) -> str:
    """A private name only members can recompute: HMAC-SHA256 over its parts."""
    name = "\x00".join(str(part) for part in parts).encode()
    return stub.create_composite_key("h", [hmac.digest(secret_key, name, "sha256").hex()])
