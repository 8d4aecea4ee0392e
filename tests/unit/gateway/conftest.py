# SPDX-License-Identifier: Apache-2.0
"""A ledger in memory that fails as real ones do, real signed records, and a gateway on both."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import batch, canonical, ocmf
from pedchain_domain.reasons import Reason, status_of
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.ledger.port import (
    VALID,
    Announce,
    Committed,
    Event,
    Invalid,
    LedgerError,
    Mismatch,
    Outcome,
    Refused,
    Unknown,
)
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services, assemble

KEY = ec.generate_private_key(ec.SECP256R1())


def record(counter: int = 1, wh: int = 1_000, device: str = "meter-1", **more: object) -> bytes:
    """A signed record of one reading."""
    payload = ocmf.build(
        device=device,
        counter=counter,
        readings=[(1_774_742_400 + 900 * counter, "1-0:1.8.0*255", str(wh), "Wh")],
        network="test",
        channel="ped",
        **more,  # type: ignore[arg-type] # passed through
    )
    return ocmf.sign(payload, KEY)


@dataclass(frozen=True)
class Endorsing:
    """The next submission fails before anything is sent."""

    error: LedgerError


@dataclass(frozen=True)
class Ordered:
    """The next transaction is ordered, but invalid for this code."""

    code: str


@dataclass(frozen=True)
class Lost:
    """The next transaction is sent and nobody says what became of it."""

    committed: bool


@dataclass
class FakeLedger:
    """Files batches; `faults` are what happens to the next submissions, in order."""

    period: int = 1
    channel: str = "ped"
    shards: int = 1
    faults: deque[Endorsing | Ordered | Lost] = field(default_factory=deque)
    verdicts: dict[str, Reason] = field(default_factory=dict)
    disagree: set[str] = field(default_factory=set)
    crash: set[str] = field(default_factory=set)
    filed: list[list[bytes]] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    answers: dict[tuple[str, ...], bytes | LedgerError] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    running: int = 0
    most_running: int = 0
    unavailable: LedgerError | None = None
    blocks: list[bytes] = field(default_factory=list)
    block_by_transaction: dict[str, bytes] = field(default_factory=dict)
    announced: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def under_way(self, count: int = 1) -> None:
        """Wait until so many submissions are under way."""
        while self.running < count:
            self.changed.clear()
            await self.changed.wait()

    @property
    def records(self) -> list[bytes]:
        """All records on the ledger, in order."""
        return [one for filed in self.filed for one in filed]

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        self.calls.append((definition, function, *arguments))
        if self.unavailable:
            raise self.unavailable
        if function == "GetFence":
            return canonical.encode({"period": self.period, "shards": self.shards})
        if function == "GetCells" and (function, *arguments) not in self.answers:
            raise Refused("unknown-function")
        answer = self.answers[function, *arguments]
        if isinstance(answer, LedgerError):
            raise answer
        return answer

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        self.calls.append((definition, function, *arguments))
        self.running += 1
        self.changed.set()
        self.most_running = max(self.most_running, self.running)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
            return self._submit(function, arguments, transient or {}, announce)
        finally:
            self.running -= 1

    def _submit(
        self,
        function: str,
        arguments: tuple[str, ...],
        transient: Mapping[str, bytes],
        announce: Announce | None,
    ) -> Committed:
        if self.unavailable:
            raise self.unavailable
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, Endorsing):
            raise fault.error
        assert function == "SubmitReadings"
        assert len(transient["salt"]) == 16
        records = batch.decode(transient["records"])
        devices = [ocmf.parse(one).device for one in records]
        if self.disagree.intersection(devices):
            raise Mismatch("endorsers differ")
        if self.crash.intersection(devices):
            raise Refused("contract-fault")
        if int(arguments[0]) != self.period:
            raise Refused("period-sealed")
        result = bytes(status_of(self.verdicts.get(one, Reason.RECORDED)) for one in devices)
        transaction = hashlib.sha256(b"%d" % len(self.calls)).hexdigest()
        assert announce is not None
        announce(transaction)
        return self._order(fault, transaction, records, result)

    def _order(
        self, fault: object, transaction: str, records: list[bytes], result: bytes
    ) -> Committed:
        if isinstance(fault, Ordered):
            self.outcomes[transaction] = Outcome(transaction, fault.code, b"")
            raise Invalid(transaction, fault.code)
        if not (isinstance(fault, Lost) and not fault.committed):
            self.filed.append(records)
            self.outcomes[transaction] = Outcome(transaction, VALID, result)
        if isinstance(fault, Lost):
            raise Unknown(transaction)
        return Committed(transaction, result)

    async def outcome(self, transaction: str) -> Outcome | None:
        self.calls.append(("qscc", "GetTransactionByID", transaction))
        if self.unavailable:
            raise self.unavailable
        return self.outcomes.get(transaction)

    async def height(self) -> int:
        if self.unavailable:
            raise self.unavailable
        return len(self.blocks) or 7

    async def block(self, number: int) -> bytes:
        if self.unavailable:
            raise self.unavailable
        return self.blocks[number]

    async def block_of(self, transaction: str) -> bytes | None:
        if self.unavailable:
            raise self.unavailable
        return self.block_by_transaction.get(transaction)

    async def events(self, _: str, after: tuple[int, str] | None) -> AsyncIterator[Event]:
        for one in self.announced:
            if after is None or (one.block, one.transaction) > after:
                yield one
        if self.unavailable:
            raise self.unavailable


@pytest.fixture
def ledger() -> FakeLedger:
    """An empty ledger whose first period is open."""
    return FakeLedger()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A gateway of one district."""
    return Config.model_validate(
        {"profile": tmp_path / "p.json", "state": tmp_path, "districts": {"DistrictA": {}}}
    )


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index on the disk."""
    opened = Index(tmp_path / "index.sqlite")
    yield opened
    opened.close()


@pytest.fixture
async def services(config: Config, ledger: FakeLedger, index: Index) -> Services:
    """The gateway's parts around the ledger in memory."""
    return assemble(config, ledger, index)


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that speaks to the application without a socket."""
    transport = httpx2.ASGITransport(app=create(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
def record_of() -> object:
    """`record`, with the same bytes for the same arguments: signatures are made once."""
    made: dict[object, bytes] = {}

    def make(counter: int = 1, wh: int = 1_000, device: str = "meter-1") -> bytes:
        arguments = (counter, wh, device)
        return made.setdefault(arguments, record(*arguments))

    return make


@pytest.fixture
def lost() -> type[Lost]:
    """The fault of a transaction nobody hears of again."""
    return Lost
