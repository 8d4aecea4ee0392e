# SPDX-License-Identifier: Apache-2.0
"""What became of a call on a peer in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire import rwset


class TransactionFailed(FabricError):  # noqa: N818 - says what is so
    """The contract answered with status 400 or more: nothing was endorsed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class CommitRefused(FabricError):  # noqa: N818 - says what is so
    """What the transaction read has changed since: it is invalid, nothing was written."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Outcome:
    """An endorsed call, not yet committed.

    `results` is the public read-write set (`TxReadWriteSet`), `private_results` the private one
    (`TxPvtReadWriteSet`, empty if none): equal bytes from every honest run of the contract.
    """

    transaction_id: str
    chaincode: str
    timestamp_ns: int
    payload: bytes
    event: tuple[str, bytes] | None
    results: bytes
    private_results: bytes

    @cached_property
    def namespaces(self) -> tuple[rwset.Namespace, ...]:
        """The public read-write set, decoded."""
        return rwset.decode(self.results)

    @cached_property
    def private_namespaces(self) -> tuple[rwset.PrivateNamespace, ...]:
        """The private write set, decoded."""
        return rwset.decode_private(self.private_results)

    @property
    def writes(self) -> Mapping[str, bytes]:
        """The called chaincode's own public writes; an empty value is a deletion."""
        return {
            write.key: write.value
            for namespace in self.namespaces
            if namespace.name == self.chaincode
            for write in namespace.writes
        }

    def private_writes(self, collection: str) -> Mapping[str, bytes]:
        """Its writes to a collection; an empty value is a deletion or a purge."""
        return {
            write.key: write.value
            for namespace in self.private_namespaces
            if namespace.name == self.chaincode
            for part in namespace.collections
            if part.name == collection
            for write in part.writes
        }
