# SPDX-License-Identifier: Apache-2.0
"""The result of a sample: for people in words, for the ledger as a sample/1 of counts and digests.

A leaf that was drawn and is not opened is missing: a district that refuses is told so on the ledger
by whoever asked, with an opening that is null.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedchain_audit import chain, sampling
from pedchain_audit.archive import BLOCK_BYTES_MAX, Archive
from pedchain_audit.errors import ArchiveError
from pedchain_audit.sampling import FAILED, MISSING, VERIFIED, Finding
from pedchain_domain import canonical
from pedchain_domain.reasons import DomainError
from pedchain_fabric.client import profile
from pedchain_fabric.wire import block as wire_block

Document = dict[str, Any]
DEFINITION = "metering-"
DEPTH = 16


@dataclass(frozen=True, slots=True)
class Result:
    """What was found of a district's leaves, and the sample/1 that says so."""

    district: str
    document: Document
    findings: list[Finding]

    @property
    def holds(self) -> bool:
        """Whether every leaf drawn was opened and is right."""
        return bool(self.document["verified"] == self.document["leaves"])


def checked(path: Path, archive: Archive, leaves: int) -> Result:
    """Check the opening in a file. Raises `ArchiveError`, `VerificationError`."""
    opening, digest = read(path)
    district, day = str(opening.get("district")), str(opening.get("day"))
    ground = sampling.ground(archive, district, day)
    block = drawing_block(archive, ground)
    findings = sampling.check(ground, opening, block["hash"], leaves)
    return Result(district, document(ground.certificate, block, findings, digest), findings)


def refused(archive: Archive, district: str, day: str, leaves: int) -> Result:
    """The result of a district that opened nothing. Raises the same."""
    ground = sampling.ground(archive, district, day)
    findings = [Finding(MISSING, "not opened")] * leaves
    block = drawing_block(archive, ground)
    return Result(district, document(ground.certificate, block, findings, None), findings)


def read(path: Path) -> tuple[Document, str]:
    """An opening and its digest. Raises `ArchiveError` where there is none."""
    try:
        raw = path.read_bytes()
        document = canonical.decode(raw, canonical.Limits(size=BLOCK_BYTES_MAX, depth=DEPTH))
    except (OSError, DomainError) as error:
        raise ArchiveError(f"{path}: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != "opening/1":
        raise ArchiveError(f"{path} is no opening")
    return document, hashlib.sha256(raw).hexdigest()


def drawing_block(archive: Archive, ground: sampling.Ground) -> Document:
    """{"block", "hash"} of the block that holds the certificate: it draws the sample."""
    number = ground.block
    block = chain.decode(number, archive.block_path(number).read_bytes())
    return {"block": number, "hash": wire_block.header_hash(block.header).hex()}


def document(
    certificate: Document, block: Document, findings: list[Finding], opening: str | None
) -> Document:
    states = [one.state for one in findings]
    return {
        "schema": "sample/1",
        **{name: certificate[name] for name in ("day", "run", "version", "root")},
        **block,
        "leaves": len(states),
        **{state: states.count(state) for state in (VERIFIED, MISSING, FAILED)},
        "opening": opening,
    }


def text(result: Result) -> str:
    """What was found, each leaf that is not right by name; the last line is the verdict."""
    told = result.document
    wrong = [f"{one.state}: {one.text}" for one in result.findings if one.state != VERIFIED]
    verdict = "TAMPERED" if told["failed"] else "INCOMPLETE" if told["missing"] else "VERIFIED"
    drawn = f"{told['leaves']} leaves drawn by block {told['block']}"
    return "\n".join(
        [
            f"{result.district} {told['day']} run {told['run']} version {told['version']}: {drawn}",
            *wrong,
            f"{told['verified']} verified, {told['missing']} missing, {told['failed']} failed",
            verdict,
        ]
    )


async def record(profile_path: Path, result: Result, user: str) -> None:
    """Put the result onto the ledger, as a client of an organisation that is not the district.

    Raises any `GatewayError`."""
    described = profile.load(profile_path)
    async with await profile.connect(described, user=user) as gateway:
        contract = gateway.network(described.channel).contract(f"{DEFINITION}{result.district}")
        await contract.submit("RecordSample", canonical.encode(result.document).decode())
