# SPDX-License-Identifier: Apache-2.0
"""Steps 2 to 4, signatures of members: orderers, clients, endorsers.

Computing them is most of what a block costs, and needs nothing of the ledger's state: workers
compute a block's signatures ahead (`good_of`), and what they found good is not computed again.
Whether who signed is a member, and of what, is always asked by the configuration of that time.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from fabric_protos.common.common_pb2 import CONFIG, Block
from fabric_protos.common.configuration_pb2 import Consenter

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData, orderer_signatures, parse_block
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.msp import Msps
from pedchain_fabric.wire.transaction import TransactionParts, parse_body, parse_header

_UNUSABLE = (IdentityError, WireError, SignatureInvalid)


class Signatures:
    """Computes signatures, but none that is known to be good."""

    def __init__(self) -> None:
        self._good: set[bytes] = set()

    def learn(self, good: Iterable[bytes]) -> None:
        """Digests of claims whose signatures hold, for the blocks to come."""
        self._good.update(good)

    def verify(self, identity: Identity, claim: SignedData) -> None:
        """Raises `SignatureInvalid` or `IdentityError` unless the identity's key signed it."""
        if not self._good:
            identity.verify(claim.message, claim.signature)
            return
        known = digest(claim)
        if known not in self._good:
            identity.verify(claim.message, claim.signature)
        self._good.discard(known)

    def signers(self, msps: Msps, claims: Sequence[SignedData]) -> list[Identity]:
        """Who of these did sign, each once; who cannot be read or verified is left out (Fabric:
        policies.SignatureSetToValidIdentities)."""
        seen: set[tuple[str, str]] = set()
        found = []
        for claim in claims:
            try:
                identity = Identity.from_creator(claim.creator)
                key = (identity.msp_id, msps[identity.msp_id].resolve(identity).id)
                if key not in seen:
                    self.verify(identity, claim)
                    seen.add(key)
                    found.append(identity)
            except _UNUSABLE:
                continue
        return found


def digest(claim: SignedData) -> bytes:
    """Names one claim: who, what, with which signature; their lengths keep them apart."""
    hashed = hashlib.sha256()
    for part in claim:
        hashed.update(len(part).to_bytes(4, "big"))
        hashed.update(part)
    return hashed.digest()


def endorsed(transaction: TransactionParts) -> list[SignedData]:
    """What each endorser signed: the response payload followed by its own identity."""
    payload = transaction.proposal_response_payload
    return [
        SignedData(each.endorser, payload + each.endorser, each.signature)
        for each in transaction.endorsements
    ]


def good_of(raws: Sequence[bytes], consenters: Sequence[bytes]) -> list[bytes]:
    """Digests of the claims in raw blocks whose signatures hold; a worker's task.

    What cannot be read is left out: the audit says so when it comes there. `consenters` are the
    messages of those in force when the task was made; where they changed since, orderers'
    signatures are computed once more.
    """
    known = [Consenter.FromString(each) for each in consenters]
    claims = (claim for raw in raws for claim in _claims(raw, known))
    return [digest(claim) for claim in claims if _holds(claim)]


def _holds(claim: SignedData) -> bool:
    try:
        Identity.from_creator(claim.creator).verify(claim.message, claim.signature)
    except _UNUSABLE:
        return False
    return True


def _claims(raw: bytes, consenters: Sequence[Consenter]) -> Iterator[SignedData]:
    try:
        block = parse_block(raw)
        yield from orderer_signatures(block.header, block.metadata, consenters)
    except WireError:
        return
    yield from _members(block)


def _members(block: Block) -> Iterator[SignedData]:
    for envelope in block.data.data:
        try:
            header = parse_header(envelope)
            if header.type == CONFIG:
                continue
            yield SignedData(header.creator, header.payload_bytes, header.signature)
            yield from endorsed(TransactionParts(header, parse_body(header)))
        except WireError:
            continue
