# SPDX-License-Identifier: Apache-2.0
"""One HTTP/2 stream: what is still to be sent, and how much each side may send."""

from typing import Final

from pedchain_fabric.shim.http2.frames import DATA, ConnectionFault, ErrorCode, header
from pedchain_fabric.shim.http2.limits import WINDOW_BYTES

WINDOW_MAX: Final = 2**31 - 1


class Outlet:
    """How much may be sent (RFC 9113, section 5.2): on one stream, or on the whole connection."""

    __slots__ = ("window",)

    def __init__(self, window: int) -> None:
        self.window = window

    def widen(self, more: int) -> None:
        """Raises `ConnectionFault` beyond what HTTP/2 can count."""
        if self.window + more > WINDOW_MAX:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
        self.window += more


class Inlet:
    """How much may come. It is granted anew once half of it is used, if `grant` says so."""

    __slots__ = ("_left", "_window")

    def __init__(self, window: int = WINDOW_BYTES) -> None:
        self._window = self._left = window

    def take(self, size: int) -> None:
        """Raises `ConnectionFault` if more came than was granted."""
        if size > self._left:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than was granted")
        self._left -= size

    def grant(self) -> int:
        """What to grant now; 0 while more than half is left."""
        used = self._window - self._left
        if used * 2 < self._window:
            return 0
        self._left = self._window
        return used


class Stream:
    """A stream that is open on our side."""

    __slots__ = ("_parts", "_rest", "id", "inlet", "outlet", "peer_ended", "trailers", "unsent")

    def __init__(self, identifier: int, window: int) -> None:
        self.id = identifier
        self.outlet = Outlet(window)
        self.inlet = Inlet()
        self.peer_ended = False
        self.trailers: bytes | None = None  # a packed header block, once nothing follows the data
        self.unsent = 0  # bytes
        self._parts: list[bytes] = []
        self._rest = memoryview(b"")

    def add(self, *parts: bytes) -> None:
        """More to be sent."""
        self._parts += parts
        for part in parts:
            self.unsent += len(part)

    def frames(self, connection: Outlet, frame_bytes: int, budget: int) -> list[bytes]:
        """DATA frames, as much as both windows and `budget` allow.

        What was added since the last time travels together, whatever messages it was.
        """
        made: list[bytes] = []
        while budget > 0 and self.unsent:
            if not self._rest:
                self._rest = memoryview(b"".join(self._parts))
                self._parts.clear()
            size = min(len(self._rest), frame_bytes, connection.window, self.outlet.window)
            if size <= 0:
                break
            made += (header(DATA, 0, self.id, size), bytes(self._rest[:size]))
            self._rest = self._rest[size:]
            self.unsent -= size
            budget -= size
            connection.window -= size
            self.outlet.window -= size
        return made
