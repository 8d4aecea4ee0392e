# SPDX-License-Identifier: Apache-2.0
"""Inclusion proofs (rules C5): fetched by a member of the collection, checked by anyone, offline.

What a proof must lead to is the root of a certificate on the ledger: read from a copied ledger,
or from a certificate somebody holds.
"""

import json
from pathlib import Path
from typing import Any

from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.registry import decode
from pedchain_audit.tracing import history
from pedchain_domain import canonical, proofs
from pedchain_domain.reasons import DomainError
from pedchain_fabric.client import profile
from pedchain_fabric.wire import compositekey

Document = dict[str, Any]
DEFINITION = "metering-"
BYTES_MAX = 1024 * 1024


async def fetch(
    profile_path: Path, district: str, point: str, day: str, instant: int, *, user: str
) -> bytes:
    """Asks the profile's peer for a proof; its organisation must be a member of the collection."""
    described = profile.load(profile_path)
    async with await profile.connect(described, user=user) as gateway:
        contract = gateway.network(described.channel).contract(f"{DEFINITION}{district}")
        return await contract.evaluate("GetProof", point, day, str(instant))


def read(path: Path) -> Document:
    """A JSON document from a file. ArchiveError where there is none."""
    try:
        raw = path.read_bytes()[: BYTES_MAX + 1]
        document = canonical.decode(raw, canonical.Limits(size=BYTES_MAX))
    except (OSError, DomainError) as error:
        raise ArchiveError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ArchiveError(f"{path} is no document")
    return document


def roots_of(archive: Archive, district: str, day: str) -> dict[str, str]:
    """Root -> run of every version of a day's certificate that a valid transaction wrote, the
    blocks verified on the way as far as chain, endorsements and reads go. ArchiveError if none."""
    key = compositekey.create("certificate", [day])
    documents = [
        decode(write.value)
        for write in history(archive, f"{DEFINITION}{district}", key)
        if write.value is not None
    ]
    if not documents:
        raise ArchiveError(f"the ledger holds no certificate of {district} {day}")
    return {document["root"]: document["run"] for document in documents}


def check_file(file: Path, ledger: Path | None, certificate: Path | None) -> str:
    """What the proof in a file shows, held against a copied ledger or a certificate's file.

    Raises `VerificationError` where it does not hold, `ArchiveError` where there is nothing to
    hold it against."""
    found = read(file)
    if certificate is not None:
        held = read(certificate)
        return check(found, {str(held.get("root")): str(held.get("run"))})
    if ledger is None:
        raise ArchiveError("name a --ledger or a --certificate to check against")
    day, district = str(found.get("day")), str(found.get("district"))
    return check(found, roots_of(Archive(ledger), district, day))


def check(proof: Document, roots: dict[str, str]) -> str:
    """What the proof shows, in words. VerificationError where it does not hold."""
    try:
        leaf = proofs.check(proof)
    except DomainError as error:
        raise VerificationError("proof", str(error)) from error
    root = proof["roots"][-1]
    if root not in roots:
        raise VerificationError("proof", "it leads to no root of this certificate")
    registers = ", ".join(
        f"{role} {wh} ({letter})" for role, (letter, wh) in sorted(leaf["registers"].items())
    )
    return (
        f"{proof['district']} {proof['day']} run {roots[root]}: point {leaf['point']}, "
        f"interval {leaf['interval']}: {registers}"
    )


def write(path: Path, proof: bytes) -> None:
    """A proof as a readable file."""
    path.write_text(json.dumps(canonical.decode(proof), indent=1, sort_keys=True) + "\n")
