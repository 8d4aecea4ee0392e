# SPDX-License-Identifier: Apache-2.0
"""A peer's end of HTTP/2, frame by frame."""

from dataclasses import dataclass, field

import pytest
from hpack import Encoder

from pedchain_fabric.shim.http2 import frames
from pedchain_fabric.shim.http2.frames import Frame
from pedchain_fabric.shim.http2.session import Session

Header = tuple[str, str]
REQUEST: list[Header] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/s/m"),
    ("content-type", "application/grpc"),
]


@dataclass
class Told:
    """What a session tells, in order."""

    events: list[tuple[object, ...]] = field(default_factory=list)

    def requested(self, stream: int, headers: list[Header]) -> None:
        self.events.append(("requested", stream, dict(headers)[":path"]))

    def received(self, stream: int, data: bytes) -> None:
        self.events.append(("received", stream, data))

    def ended(self, stream: int, cancelled: bool) -> None:
        self.events.append(("ended", stream, cancelled))


class Peer:
    """Speaks to a session, and cuts what it answers into frames."""

    def __init__(self) -> None:
        self.told = Told()
        self.session = Session(self.told)
        self.encoder = Encoder()

    def greet(self) -> None:
        """Preface and SETTINGS; what they are answered with is not of interest."""
        self.say(frames.PREFACE, frames.frame(frames.SETTINGS, 0, 0))
        self.heard()

    def say(self, *parts: bytes) -> None:
        self.session.receive(b"".join(parts))

    def request(self, stream: int, *, ends: bool = False) -> None:
        self.say(headers(self.encoder.encode(REQUEST), stream, ends=ends))

    def heard(self, budget: int = 1_000_000) -> list[Frame]:
        reader = frames.Reader(2**24)
        reader.begun = True
        return list(reader.frames(self.session.take(budget)))


def headers(block: bytes, stream: int, *, ends: bool = False, whole: bool = True) -> bytes:
    flags = (frames.END_STREAM if ends else 0) | (frames.END_HEADERS if whole else 0)
    return frames.frame(frames.HEADERS, flags, stream, block)


@pytest.fixture
def peer() -> Peer:
    made = Peer()
    made.greet()
    return made


@pytest.fixture
def stranger() -> Peer:
    return Peer()
