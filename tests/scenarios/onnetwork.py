# SPDX-License-Identifier: Apache-2.0
"""A network in the place of the peer in memory, so that the same calls of settlement run on both.

It takes a call to the gateway of the organisation that the test's creator is of, repeats it where a
peer lags, and remembers every transaction. Queries go to the peer that committed last, which has
seen all that was done before it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.shim.testing import TransactionFailed
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.transaction import parse_envelope
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.port import Invalid, Mismatch, Refused, Unavailable, Unknown
from pedchain_gateway.ledger.steps import submit_step

DSO, CHANNEL = "DSOMSP", "ped"
LAGGING = frozenset(
    ("not-begun", "unknown-account", "unknown-session", "unknown-zone", "unknown-day", "not-found",
     "unknown-community", "wrong-counter", "insufficient-funds", "too-early", "no-reference",
     "wrong-state", "not-attached", "not-certified", "market-open", "private-data-missing",
     "not-in-registry", "not-adopted", "unknown-device", "period-not-sealed", "not-folded",
     "previous-day-open", "run-missing", "unknown-site", "no-readings")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """A committed call: its function and its transaction's id."""

    function: str
    transaction: str


class Noting:
    """A gateway's ledger that notes what was committed through it."""

    def __init__(self, ledger: FabricLedger, done: list[Done]) -> None:
        self._ledger, self._done = ledger, done
        self.retried = 0

    async def submit(self, definition: str, function: str, *arguments: str, **options: Any) -> Any:
        """As the ledger's, counted."""
        try:
            committed = await self._ledger.submit(definition, function, *arguments, **options)
        except (Invalid, Mismatch, Unknown, Unavailable):
            self.retried += 1
            raise
        self._done.append(Done(function, committed.transaction))
        return committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


class NetworkPeer:
    """`MemoryPeer`'s `submit` and `evaluate` on a network."""

    def __init__(self, ledgers: Mapping[str, FabricLedger]) -> None:
        self.done: list[Done] = []
        self.ledgers = {name: Noting(ledger, self.done) for name, ledger in ledgers.items()}
        self._last = DSO

    @property
    def retried(self) -> int:
        """How often a call was repeated: a conflict, or a peer that lagged."""
        return sum(one.retried for one in self.ledgers.values())

    async def submit(
        self,
        chaincode: str,
        function: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] | None = None,
        creator: bytes | None = None,
    ) -> bytes:
        """A transaction, when it is valid. Raises `TransactionFailed` where it is refused."""
        msp_id = DSO if creator is None else Identity.from_creator(creator).msp_id
        ledger: Any = self.ledgers[msp_id]
        try:
            answer = await submit_step(
                ledger, chaincode, function, *_texts(args), transient=transient, lagging=LAGGING
            )
        except Refused as error:
            raise TransactionFailed(400, str(error)) from error
        self._last = msp_id
        return answer

    async def evaluate(
        self, chaincode: str, function: str, *args: str | bytes, creator: bytes | None = None
    ) -> bytes:
        """A query of the creator's peer, or else of the one that committed last."""
        msp_id = self._last if creator is None else Identity.from_creator(creator).msp_id
        try:
            answer: bytes = await self.ledgers[msp_id].evaluate(chaincode, function, *_texts(args))
        except Refused as error:
            raise TransactionFailed(400, str(error)) from error
        return answer

    async def written(self, transactions: Sequence[str]) -> tuple[int, int]:
        """Bytes of these transactions as they stand in blocks, and how many keys they write."""
        size = keys = 0
        for transaction in transactions:
            envelope = await self._envelope(transaction)
            size += len(envelope)
            for namespace in rwset.decode(parse_envelope(envelope).results):
                keys += len(namespace.writes)
                keys += sum(len(collection.writes) for collection in namespace.collections)
        return size, keys

    async def _envelope(self, transaction: str) -> bytes:
        answer = await self.ledgers[self._last].evaluate(
            "qscc", "GetTransactionByID", CHANNEL, transaction
        )
        processed = ProcessedTransaction.FromString(answer)
        return processed.transactionEnvelope.SerializeToString()


def _texts(args: tuple[str | bytes, ...]) -> list[str]:
    return [one.decode() if isinstance(one, bytes) else one for one in args]


@asynccontextmanager
async def connected(profiles: Mapping[str, Path]) -> AsyncIterator[NetworkPeer]:
    """A network that is up, through every organisation's gateway; `profiles` by organisation."""
    async with AsyncExitStack() as stack:
        yield NetworkPeer(
            {
                f"{name}MSP": await stack.enter_async_context(await open_ledger(path, "gateway"))
                for name, path in profiles.items()
            }
        )
