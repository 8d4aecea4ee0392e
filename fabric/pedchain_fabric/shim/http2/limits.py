# SPDX-License-Identifier: Apache-2.0
"""Every bound of a peer's connection, in one place. Sizes in bytes, times in seconds."""

from typing import Final

FRAME_BYTES: Final = 16_384  # the largest frame we take: HTTP/2's default
WINDOW_BYTES: Final = 4 * 1024 * 1024  # what may be under way to us, per stream and in all
HEADER_BYTES: Final = 64 * 1024  # of one header block, packed and unpacked
HEADER_FRAMES: Final = 64  # that one header block may come in
STREAMS: Final = 16  # open at once on a connection; a peer opens one
RESETS: Final = 1_000  # streams a peer may cancel on one connection
CONTROLS: Final = 10_000  # answers to PING and SETTINGS that wait for a peer which reads nothing
WRITE_BYTES: Final = 1024 * 1024  # handed to the socket at a time
UNSENT_BYTES: Final = 200 * 1024 * 1024  # beyond it a peer is granted no more to send
CONNECTIONS: Final = 1_000  # of one listener
BACKLOG: Final = 128  # connections the system holds until we take them

GOODBYE_SECONDS: Final = 2.0  # for a peer to read the last answer and to end TLS on its side
HANDSHAKE_SECONDS: Final = 20.0  # for TLS, and for HTTP/2's preface after it
KEEPALIVE_SECONDS: Final = 60.0  # of silence before we ask whether the peer is there
KEEPALIVE_TIMEOUT_SECONDS: Final = 20.0  # for its answer
