# SPDX-License-Identifier: Apache-2.0
"""One connection: what a peer may do, what ends it, and how much is sent."""

import struct
from typing import Any

import pytest

from pedchain_fabric.shim.http2 import frames, limits
from pedchain_fabric.shim.http2.frames import ConnectionFault, ErrorCode

WINDOW = 65_535
PING = frames.frame(frames.PING, 0, 0, bytes(8))
RST = frames.frame(frames.RST_STREAM, 0, 1, bytes(4))


def data(stream: int, content: bytes, flags: int = 0) -> bytes:
    return frames.frame(frames.DATA, flags, stream, content)


def headers(block: bytes, stream: int, flags: int = frames.END_HEADERS) -> bytes:
    return frames.frame(frames.HEADERS, flags, stream, block)


def setting(name: int, value: int) -> bytes:
    return frames.frame(frames.SETTINGS, 0, 0, struct.pack(">HI", name, value))


def window(stream: int, more: int) -> bytes:
    return frames.frame(frames.WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


def fault(peer: Any, *parts: bytes) -> ErrorCode:
    """The code that ends the connection."""
    with pytest.raises(ConnectionFault) as caught:
        peer.say(*parts)
    return caught.value.code


def test_a_peer_that_speaks_no_http2_is_found_out_at_its_first_wrong_byte(stranger: Any) -> None:
    assert fault(stranger, b"GET") == ErrorCode.PROTOCOL_ERROR


def test_the_preface_may_come_in_pieces(stranger: Any) -> None:
    for byte in frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0):
        assert not stranger.session.begun
        stranger.say(bytes([byte]))
    assert stranger.session.begun


def test_settings_come_first(stranger: Any) -> None:
    assert fault(stranger, frames.PREFACE, PING) == ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(data(0, b""), ErrorCode.PROTOCOL_ERROR, id="data-without-stream"),
        pytest.param(data(3, b""), ErrorCode.PROTOCOL_ERROR, id="data-before-headers"),
        pytest.param(
            data(1, b"", frames.PADDED), ErrorCode.FRAME_SIZE_ERROR, id="no-padding-length"
        ),
        pytest.param(
            data(1, b"\x05abc", frames.PADDED), ErrorCode.PROTOCOL_ERROR, id="padding-too-long"
        ),
        pytest.param(headers(b"", 2), ErrorCode.PROTOCOL_ERROR, id="an-even-stream"),
        pytest.param(headers(b"", 0), ErrorCode.PROTOCOL_ERROR, id="headers-without-stream"),
        pytest.param(headers(b"\xff" * 9, 3), ErrorCode.COMPRESSION_ERROR, id="headers-of-junk"),
        pytest.param(headers(b"\x82", 1), ErrorCode.PROTOCOL_ERROR, id="headers-amid-a-stream"),
        pytest.param(
            headers(b"", 3, frames.PRIORITIZED), ErrorCode.FRAME_SIZE_ERROR, id="no-priority"
        ),
        pytest.param(headers(b"", 3, 0) + PING, ErrorCode.PROTOCOL_ERROR, id="a-block-interrupted"),
        pytest.param(
            headers(b"", 3, 0) + frames.frame(frames.CONTINUATION, 4, 5),
            ErrorCode.PROTOCOL_ERROR,
            id="another-streams-continuation",
        ),
        pytest.param(
            frames.frame(frames.CONTINUATION, 4, 1),
            ErrorCode.PROTOCOL_ERROR,
            id="a-continuation-of-nothing",
        ),
        pytest.param(
            frames.frame(frames.PRIORITY, 0, 0, bytes(5)),
            ErrorCode.PROTOCOL_ERROR,
            id="a-priority-of-nothing",
        ),
        pytest.param(
            frames.frame(frames.PRIORITY, 0, 1), ErrorCode.FRAME_SIZE_ERROR, id="a-short-priority"
        ),
        pytest.param(
            frames.frame(frames.RST_STREAM, 0, 9, bytes(4)),
            ErrorCode.PROTOCOL_ERROR,
            id="a-reset-of-nothing",
        ),
        pytest.param(
            frames.frame(frames.RST_STREAM, 0, 1), ErrorCode.FRAME_SIZE_ERROR, id="a-short-reset"
        ),
        pytest.param(
            frames.frame(frames.SETTINGS, 0, 1),
            ErrorCode.PROTOCOL_ERROR,
            id="settings-of-a-stream",
        ),
        pytest.param(
            frames.frame(frames.SETTINGS, 0, 0, bytes(5)),
            ErrorCode.FRAME_SIZE_ERROR,
            id="half-a-setting",
        ),
        pytest.param(
            frames.frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
            ErrorCode.FRAME_SIZE_ERROR,
            id="an-acknowledgement-with-content",
        ),
        pytest.param(setting(2, 2), ErrorCode.PROTOCOL_ERROR, id="push-neither-on-nor-off"),
        pytest.param(setting(4, 2**31), ErrorCode.FLOW_CONTROL_ERROR, id="too-large-a-window"),
        pytest.param(setting(5, 100), ErrorCode.PROTOCOL_ERROR, id="too-small-a-frame"),
        pytest.param(
            frames.frame(frames.PUSH_PROMISE, 0, 1), ErrorCode.PROTOCOL_ERROR, id="a-push"
        ),
        pytest.param(
            frames.frame(frames.PING, 0, 1, bytes(8)),
            ErrorCode.PROTOCOL_ERROR,
            id="a-streams-ping",
        ),
        pytest.param(
            frames.frame(frames.PING, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR, id="a-short-ping"
        ),
        pytest.param(
            frames.frame(frames.GOAWAY, 0, 0), ErrorCode.FRAME_SIZE_ERROR, id="a-short-goaway"
        ),
        pytest.param(window(1, 0), ErrorCode.PROTOCOL_ERROR, id="a-window-of-nothing"),
        pytest.param(window(9, 1), ErrorCode.PROTOCOL_ERROR, id="an-idle-streams-window"),
        pytest.param(window(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR, id="a-window-overflown"),
        pytest.param(
            frames.frame(frames.WINDOW_UPDATE, 0, 0), ErrorCode.FRAME_SIZE_ERROR, id="no-window"
        ),
        pytest.param(
            frames.header(77, 0, 0, limits.FRAME_BYTES + 1),
            ErrorCode.FRAME_SIZE_ERROR,
            id="too-large-a-frame",
        ),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(
    peer: Any, frame: bytes, code: ErrorCode
) -> None:
    peer.request(1)
    assert fault(peer, frame) == code


def test_frames_of_unknown_kinds_are_ignored(peer: Any) -> None:
    peer.say(frames.frame(77, 0, 5, b"?"))
    assert peer.heard() == []


def test_a_header_block_may_come_in_pieces(peer: Any) -> None:
    block = peer.encoder.encode([(":path", "/a/b")])
    peer.say(headers(block[:2], 1, 0), frames.frame(frames.CONTINUATION, 0, 1, block[2:3]))
    assert peer.told.events == []
    peer.say(frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[3:]))
    assert peer.told.events == [("requested", 1, "/a/b")]


@pytest.mark.parametrize("piece", [b"", bytes(16_000)])
def test_a_header_block_has_an_end(peer: Any, piece: bytes) -> None:
    more = frames.frame(frames.CONTINUATION, 0, 1, piece)
    code = fault(peer, headers(b"", 1, 0), more * (limits.HEADER_FRAMES + 1))
    assert code == ErrorCode.ENHANCE_YOUR_CALM


def test_few_bytes_that_unpack_to_many_headers_are_refused(peer: Any) -> None:
    stored = b"\x40\x01a\x7f\x80\x0f" + b"b" * (127 + 1920)  # into the table, 2 kB
    assert fault(peer, headers(stored + b"\xbe" * 100, 1)) == ErrorCode.COMPRESSION_ERROR


def test_padding_and_priority_are_no_content(peer: Any) -> None:
    block = peer.encoder.encode([(":path", "/a/b")])
    flags = frames.END_HEADERS | frames.PADDED | frames.PRIORITIZED
    peer.say(headers(b"\x02" + bytes(5) + block + bytes(2), 1, flags))
    peer.say(data(1, b"\x03abc" + bytes(3), frames.PADDED))
    assert peer.told.events == [("requested", 1, "/a/b"), ("received", 1, b"abc")]


def test_trailers_of_the_peer_end_its_half(peer: Any) -> None:
    peer.request(1)
    peer.say(headers(peer.encoder.encode([("x", "y")]), 1, frames.END_HEADERS | frames.END_STREAM))
    assert peer.told.events[-1] == ("ended", 1, False)


def test_data_after_the_end_are_refused_on_the_stream_alone(peer: Any) -> None:
    peer.request(1, ends=True)
    peer.say(data(1, b"late"))
    assert peer.heard()[-1] == (frames.RST_STREAM, 0, 1, struct.pack(">I", ErrorCode.STREAM_CLOSED))
    assert peer.told.events[-1] == ("ended", 1, True)
    peer.say(data(1, b"later"))  # it was under way


def test_a_cancelled_stream_is_told_and_takes_nothing_more(peer: Any) -> None:
    peer.request(1)
    peer.say(RST)
    assert peer.told.events[-1] == ("ended", 1, True)
    peer.session.send(1, b"answer")
    peer.session.finish(1, [])
    assert peer.heard() == []


def test_one_stream_too_many_is_refused_alone(peer: Any) -> None:
    for number in range(limits.STREAMS + 1):
        peer.request(2 * number + 1)
    refused = struct.pack(">I", ErrorCode.REFUSED_STREAM)
    last = 2 * limits.STREAMS + 1
    assert peer.heard() == [(frames.RST_STREAM, 0, last, refused)]
    assert len(peer.told.events) == limits.STREAMS


def test_opening_and_cancelling_without_end_ends_the_connection(peer: Any) -> None:
    for number in range(limits.RESETS):
        peer.request(2 * number + 1)
        peer.say(frames.frame(frames.RST_STREAM, 0, 2 * number + 1, bytes(4)))
    peer.request(2 * limits.RESETS + 1)
    again = frames.frame(frames.RST_STREAM, 0, 2 * limits.RESETS + 1, bytes(4))
    assert fault(peer, again) == ErrorCode.ENHANCE_YOUR_CALM


def test_a_peer_that_asks_and_never_reads_loses_its_connection(peer: Any) -> None:
    peer.say(PING * limits.CONTROLS)
    assert fault(peer, PING) == ErrorCode.ENHANCE_YOUR_CALM


def test_pings_and_settings_are_acknowledged(peer: Any) -> None:
    peer.say(frames.frame(frames.PING, 0, 0, b"12345678"), setting(5, 2**20), setting(99, 1))
    assert [(f.kind, f.flags, f.payload) for f in peer.heard()] == [
        (frames.PING, frames.ACK, b"12345678"),
        (frames.SETTINGS, frames.ACK, b""),
        (frames.SETTINGS, frames.ACK, b""),
    ]


def test_what_one_turn_made_travels_in_one_frame(peer: Any) -> None:
    peer.request(1)
    peer.session.send(1, b"one", b"two")
    peer.session.send(1, b"three")
    assert peer.heard() == [(frames.DATA, 0, 1, b"onetwothree")]


def test_no_more_is_sent_than_the_windows_and_frames_of_the_peer_allow(peer: Any) -> None:
    peer.request(1)
    peer.session.send(1, bytes(2 * WINDOW))
    sizes = [len(frame.payload) for frame in peer.heard()]
    assert max(sizes) == limits.FRAME_BYTES
    assert sum(sizes) == WINDOW
    peer.say(window(1, 1_000))
    assert peer.heard() == []  # the connection's window is still closed
    peer.say(window(0, 300))
    assert [len(frame.payload) for frame in peer.heard()] == [300]


def test_a_smaller_initial_window_holds_back_streams_that_are_open(peer: Any) -> None:
    peer.request(1)
    peer.session.send(1, bytes(2 * WINDOW))
    peer.heard()
    peer.say(setting(4, 0), window(0, WINDOW), window(1, WINDOW))
    assert [frame.kind for frame in peer.heard()] == [frames.SETTINGS]
    peer.say(window(1, 5))
    assert [len(frame.payload) for frame in peer.heard()] == [5]


def test_trailers_come_after_all_data(peer: Any) -> None:
    peer.request(1, ends=True)
    peer.session.send(1, bytes(WINDOW + 1))
    peer.session.finish(1, [("grpc-status", "0")])
    peer.session.send(1, b"after the end")
    assert {frame.kind for frame in peer.heard()} == {frames.DATA}
    peer.say(window(0, 10), window(1, 10))
    rest, trailers = peer.heard()
    assert (rest.kind, len(rest.payload)) == (frames.DATA, 1)
    assert trailers.kind == frames.HEADERS
    assert trailers.flags & frames.END_STREAM
    assert peer.session.streams == 0


def test_an_answer_that_ends_first_tells_the_peer_to_stop(peer: Any) -> None:
    peer.request(1)
    peer.session.finish(1, [])
    assert peer.heard()[-1] == (frames.RST_STREAM, 0, 1, bytes(4))


def test_the_windows_are_granted_anew_once_half_of_them_is_used(peer: Any) -> None:
    peer.request(1)
    half, full = limits.WINDOW_BYTES // 2, data(1, bytes(limits.FRAME_BYTES))
    peer.say(full * (half // limits.FRAME_BYTES - 1))
    assert peer.heard() == []
    peer.say(full)
    granted = struct.pack(">I", half)
    kind = frames.WINDOW_UPDATE
    assert peer.heard() == [(kind, 0, 0, granted), (kind, 0, 1, granted)]


def test_a_peer_that_takes_no_answers_is_granted_nothing(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNSENT_BYTES", 10)
    peer.request(1)
    peer.session.send(1, bytes(WINDOW + 11))
    peer.say(data(1, bytes(limits.FRAME_BYTES)) * (limits.WINDOW_BYTES // limits.FRAME_BYTES))
    assert {frame.kind for frame in peer.heard()} == {frames.DATA}
    peer.say(window(0, WINDOW), window(1, WINDOW))
    assert [frame.kind for frame in peer.heard()] == [frames.DATA, *[frames.WINDOW_UPDATE] * 2]


def test_more_than_was_granted_ends_the_connection(peer: Any) -> None:
    peer.request(1)
    full = data(1, bytes(limits.FRAME_BYTES))
    peer.say(full * (limits.WINDOW_BYTES // limits.FRAME_BYTES))
    assert fault(peer, data(1, b"x")) == ErrorCode.FLOW_CONTROL_ERROR


def test_after_goaway_new_streams_are_refused_and_old_ones_go_on(peer: Any) -> None:
    peer.request(1)
    peer.session.goaway(ErrorCode.NO_ERROR)
    peer.request(3)
    peer.say(data(1, b"on"))
    peer.session.send(1, b"and on")
    kinds = [frame.kind for frame in peer.heard()]
    assert kinds == [frames.GOAWAY, frames.RST_STREAM, frames.DATA]
    assert peer.told.events == [("requested", 1, "/s/m"), ("received", 1, b"on")]


def test_a_peers_goaway_ends_nothing(peer: Any) -> None:
    peer.request(1)
    peer.say(frames.frame(frames.GOAWAY, 0, 0, bytes(8)), data(1, b"on"))
    assert peer.told.events[-1] == ("received", 1, b"on")
