# SPDX-License-Identifier: Apache-2.0
"""Small formats: Go's durations, the participation API's form, an orderer's refusals."""

import pytest
from fabric_protos.common.common_pb2 import Envelope, Header, Payload
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.embedded.multipart import FormRefused, single_file
from pedchain_fabric.embedded.orderer.broadcast import BroadcastRefused, channel_header
from pedchain_fabric.wire import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("10ms", 0.01),
        ("3m0s", 180.0),
        ("1h2m3.5s", 3723.5),
        (".5s", 0.5),
        ("5µs", 5e-6),
        ("7ns", 7e-9),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "ms", "-1s", "1s ", "1d", "1.s.s", "s1", "١s"])
def test_what_go_refuses_as_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        durations.seconds(text)


def form(*parts: tuple[str, bytes], boundary: str = "b0") -> bytes:
    body = b""
    for disposition, content in parts:
        body += f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


FILE = 'name="config-block"; filename="b"'
TYPE = "multipart/form-data; boundary=b0"


@given(st.binary(max_size=200).filter(lambda content: b"\r\n--b0" not in b"\r\n" + content))
def test_a_file_comes_out_as_it_went_in(content: bytes) -> None:
    assert single_file(TYPE, form((FILE, content)), "config-block", 10_000) == content


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("multipart/form-data", form((FILE, b"x")), "boundary is empty"),
        (TYPE, form((FILE, b"x" * 999)), "request body too large"),
        (TYPE, form((FILE, b"x"))[:-8], "NextPart: EOF"),
        (TYPE, b"", "NextPart: EOF"),
        (TYPE, form(('name="other"; filename="b"', b"x")), "does not contains part key"),
        (TYPE, form(('name="config-block"', b"x")), "does not contains part key"),
        (TYPE, form((FILE, b"x"), ('name="other"', b"y")), "too many parts"),
        (TYPE, form(("", b"x")), "malformed MIME header"),
    ],
)
def test_another_form_is_refused_in_fabrics_words(kind: str, body: bytes, text: str) -> None:
    with pytest.raises(FormRefused, match=text):
        single_file(kind, body, "config-block", 999)


@given(st.text(max_size=80), st.binary(max_size=300))
def test_any_form_is_read_or_refused(kind: str, body: bytes) -> None:
    try:
        single_file(f"multipart/form-data; boundary={kind}", body, "f", 1000)
    except FormRefused:
        return


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"\xff\xff\xff", "error unmarshalling Payload: not a Payload"),
        (b"", "header not set"),
        (
            Payload(header=Header(channel_header=b"\xff\xff\xff")).SerializeToString(),
            "error unmarshalling channel header: error unmarshalling ChannelHeader: "
            "not a ChannelHeader",
        ),
    ],
    ids=["payload", "no header", "channel header"],
)
def test_an_orderer_tells_which_part_of_an_envelope_it_cannot_read(
    payload: bytes, said: str
) -> None:
    with pytest.raises(BroadcastRefused) as refused:
        channel_header(Envelope(payload=payload))
    assert str(refused.value) == f"could not determine channel ID: {said}"
