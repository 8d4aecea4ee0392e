# SPDX-License-Identifier: Apache-2.0
"""A key's history from raw blocks: every valid write with who, when, where, and who endorsed it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pedchain_audit import chain
from pedchain_audit.archive import Archive
from pedchain_audit.replay import Judged, Ledger
from pedchain_domain import canonical
from pedchain_domain.reasons import DomainError
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity


@dataclass(frozen=True, slots=True)
class Write:
    """One write; `at` is the client's claim in UTC epoch seconds, `value` None a deletion."""

    block: int
    position: int
    transaction: str
    at: int
    creator: str
    endorsers: tuple[str, ...]
    value: bytes | None

    def document(self) -> Any:
        """The value as a ledger document, as text or hex where it is none."""
        if self.value is None:
            return None
        try:
            return canonical.decode(self.value, canonical.Limits(size=len(self.value)))
        except DomainError:
            return self.value.decode() if self.value.isascii() else self.value.hex()


def key_of(parts: tuple[str, ...]) -> str:
    """A plain key, or the composite key of a kind and its attributes."""
    return parts[0] if len(parts) == 1 else compositekey.create(parts[0], list(parts[1:]))


def history(archive: Archive, namespace: str, key: str) -> list[Write]:
    """All valid writes of a public key, oldest first, the blocks verified on the way as far as
    chain, signatures, endorsements and reads go. Raises `VerificationError`, `ArchiveError`."""
    found: list[Write] = []
    for number, judged in replayed(archive):
        found += _writes(number, judged, namespace, key)
    return found


def replayed(archive: Archive) -> Iterator[tuple[int, Judged]]:
    """Valid transactions by block, steps 1 to 5 done."""
    ledger: Ledger | None = None
    previous = b""
    for number, raw in archive.blocks():
        block = chain.decode(number, raw)
        previous = chain.check_link(block, number, previous)
        if ledger is None:
            chain.check_genesis(block, archive.genesis)
            ledger = Ledger(ChannelConfig.from_block(block))
        else:
            chain.check_signatures(block, ledger.config, ledger.signatures)
        valid: list[Judged] = []
        ledger.judge(block, valid.append)
        for judged in valid:
            yield number, judged


def _writes(number: int, judged: Judged, namespace: str, key: str) -> Iterator[Write]:
    transaction = judged.transaction
    assert transaction is not None
    for each in judged.namespaces:
        for write in each.writes if each.name == namespace else ():
            if write.key == key:
                yield Write(
                    number,
                    judged.position,
                    transaction.transaction_id,
                    transaction.timestamp // 1_000_000_000,
                    Identity.from_creator(transaction.creator).msp_id,
                    tuple(
                        Identity.from_creator(one.endorser).msp_id
                        for one in transaction.endorsements
                    ),
                    None if write.deletes else write.value,
                )
