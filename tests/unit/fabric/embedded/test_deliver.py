# SPDX-License-Identifier: Apache-2.0
"""Which blocks a seek asks for, and how a stream ends."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekNextCommit,
    SeekOldest,
    SeekPosition,
    SeekSpecified,
)

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.deliver import Deliverer, Kind
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.embedded.store import Store
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import timestamp_message
from tests.unit.fabric.embedded_ledger.channel import CHANNEL
from tests.unit.fabric.embedded_ledger.consortium import Consortium, put

OLDEST = SeekPosition(oldest=SeekOldest())
NEWEST = SeekPosition(newest=SeekNewest())
NEXT = SeekPosition(next_commit=SeekNextCommit())
BAD, MISSING = Status.BAD_REQUEST, Status.NOT_FOUND
Sent = int | str


def at(number: int) -> SeekPosition:
    return SeekPosition(specified=SeekSpecified(number=number))


FOREVER = at(2**64 - 1)


@pytest.fixture
def consortium() -> Consortium:
    """A chain of blocks 0 to 3."""
    made = Consortium.start()
    made.define("notes", "OutOf(1,'DSOMSP.peer','DistrictAMSP.peer')")
    for key in ("a", "b"):
        assert made.submit("notes", put("notes", key)) == "VALID"
    return made


class Town:
    """One node that has joined the channel, and a client of it."""

    def __init__(self, consortium: Consortium) -> None:
        self.consortium = consortium
        self.allowed = True
        self.shift = 0.0
        joined = Joined("node", Store(None))
        joined.add(Channel(consortium.ledger))
        self._deliverer = Deliverer(joined, lambda: time.time() + self.shift)

    def kind(self, *, full: bool = False) -> Kind[Sent]:
        def describe(_channel: Channel, block: Block, _claim: object) -> Sent:
            return f"{block.header.number}:{len(block.data.data)}" if full else block.header.number

        return Kind(lambda _channel, _claim: self.allowed, describe, Status.Name)

    def seek(
        self,
        start: SeekPosition | None,
        stop: SeekPosition | None,
        *,
        channel: str = CHANNEL,
        age: float = 0.0,
        **info: int,
    ) -> Envelope:
        client = self.consortium.organizations["DSO"].client
        header = ChannelHeader(
            channel_id=channel, timestamp=timestamp_message(int((time.time() - age) * 1e9))
        )
        wanted = SeekInfo(start=start, stop=stop, **info)  # type: ignore[arg-type]
        payload = Payload(
            header=Header(
                channel_header=serialize(header),
                signature_header=serialize(SignatureHeader(creator=client.creator)),
            ),
            data=serialize(wanted),
        )
        return Envelope(payload=serialize(payload))

    def stream(self, *requests: Envelope, full: bool = False) -> AsyncIterator[Sent]:
        async def asked() -> AsyncIterator[Envelope]:
            for each in requests:
                yield each

        return self._deliverer.handle(asked(), self.kind(full=full))

    async def all(self, *requests: Envelope, full: bool = False) -> list[Sent]:
        async with asyncio.timeout(5):
            return [each async for each in self.stream(*requests, full=full)]


@pytest.fixture
def town(consortium: Consortium) -> Town:
    return Town(consortium)


@pytest.mark.parametrize(
    ("start", "stop", "numbers"),
    [
        (OLDEST, OLDEST, [0]),
        (OLDEST, NEWEST, [0, 1, 2, 3]),
        (NEWEST, NEWEST, [3]),
        (NEWEST, OLDEST, [3]),
        (OLDEST, at(2), [0, 1, 2]),
        (at(1), at(1), [1]),
        (at(3), NEWEST, [3]),
    ],
)
async def test_a_seek_yields_these_blocks_and_success(
    town: Town, start: SeekPosition, stop: SeekPosition, numbers: list[Sent]
) -> None:
    assert await town.all(town.seek(start, stop)) == [*numbers, "SUCCESS"]


@pytest.mark.parametrize(
    ("start", "stop", "status"),
    [
        (None, OLDEST, BAD),
        (OLDEST, None, BAD),
        (at(2), at(1), BAD),
        (at(5), at(9), MISSING),
        (SeekPosition(), OLDEST, MISSING),
    ],
)
async def test_a_seek_that_makes_no_sense_ends_the_stream(
    town: Town,
    start: SeekPosition | None,
    stop: SeekPosition | None,
    status: Status.ValueType,
) -> None:
    later = town.seek(OLDEST, OLDEST)
    assert await town.all(town.seek(start, stop), later) == [Status.Name(status)]


async def test_after_success_the_next_seek_is_answered(town: Town) -> None:
    both = [town.seek(at(1), at(1)), town.seek(NEWEST, NEWEST)]
    assert await town.all(*both) == [1, "SUCCESS", 3, "SUCCESS"]


async def test_whoever_does_not_want_to_wait_is_told(town: Town) -> None:
    request = town.seek(at(3), at(4), behavior=SeekInfo.FAIL_IF_NOT_READY)
    assert await town.all(request) == [3, "NOT_FOUND"]


@pytest.mark.parametrize("start", [NEXT, at(4)])
async def test_a_stream_waits_for_blocks_to_come(town: Town, start: SeekPosition) -> None:
    stream = town.stream(town.seek(start, FOREVER))
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    town.consortium.submit("notes", put("notes", "c"))
    assert await asyncio.wait_for(waiting, 5) == 4


async def test_headers_with_signatures_leave_out_transactions_but_not_configurations(
    town: Town,
) -> None:
    request = town.seek(OLDEST, at(2), content_type=SeekInfo.HEADER_WITH_SIG)
    assert await town.all(request, full=True) == ["0:1", "1:0", "2:0", "SUCCESS"]


async def test_a_channel_not_joined_is_not_found(town: Town) -> None:
    assert await town.all(town.seek(OLDEST, OLDEST, channel="other")) == ["NOT_FOUND"]


@pytest.mark.parametrize("age", [-16 * 60, 16 * 60])
async def test_a_seek_is_of_now(town: Town, age: float) -> None:
    assert await town.all(town.seek(OLDEST, OLDEST, age=age)) == ["BAD_REQUEST"]
    assert (await town.all(town.seek(OLDEST, OLDEST, age=age * 0.9)))[-1] == "SUCCESS"


async def test_garbage_is_a_bad_request(town: Town) -> None:
    for payload in (b"", b"\xff", serialize(Payload(header=Header(channel_header=b"\xff")))):
        assert await town.all(Envelope(payload=payload)) == ["BAD_REQUEST"]


async def test_who_may_not_read_gets_nothing(town: Town) -> None:
    town.allowed = False
    assert await town.all(town.seek(OLDEST, OLDEST)) == ["FORBIDDEN"]


async def test_a_stream_ends_when_the_clients_certificate_does(town: Town) -> None:
    stream = town.stream(town.seek(OLDEST, FOREVER))
    assert await anext(stream) == 0
    expiry = town.consortium.organizations["DSO"].client.identity.not_after.timestamp()
    town.shift = expiry - time.time() + 1
    assert await anext(stream) == "FORBIDDEN"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_long_replay_lets_other_work_be_done(town: Town) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(other())
    await town.all(town.seek(OLDEST, NEWEST))
    working.cancel()
    assert turns >= 3
