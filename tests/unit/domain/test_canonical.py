# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import canonical
from pedchain_domain.canonical import CanonicalError, Limits
from pedchain_domain.reasons import Reason

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**59), 10**59) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def refusal(data: bytes, **bounds: int) -> Reason:
    with pytest.raises(CanonicalError) as caught:
        canonical.decode(data, Limits(**bounds))
    return caught.value.reason


def test_canonical_bytes_are_sorted_unspaced_utf8() -> None:
    assert (
        canonical.encode({"b": [1, True, None], "a": "é"}) == '{"a":"é","b":[1,true,null]}'.encode()
    )


@given(VALUES)
def test_canonical_round_trip(value: object) -> None:
    data = canonical.encode(value)
    assert canonical.decode_canonical(data) == value
    assert canonical.encode(canonical.decode(data)) == data


def test_other_spelling_is_readable_but_not_canonical() -> None:
    assert canonical.decode(b' {"b": 1, "a": 2}') == {"a": 2, "b": 1}
    with pytest.raises(CanonicalError) as caught:
        canonical.decode_canonical(b'{"b":1,"a":2}')
    assert caught.value.reason == Reason.NOT_CANONICAL


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":1}', Reason.DUPLICATE_KEY),
        (b'{"x":{"a":1,"a":1}}', Reason.DUPLICATE_KEY),
        (b"[1.0]", Reason.NOT_AN_INTEGER),
        (b"[1e2]", Reason.NOT_AN_INTEGER),
        (b"[-0]", Reason.NOT_AN_INTEGER),
        (b"[NaN]", Reason.NOT_AN_INTEGER),
        (b"[-Infinity]", Reason.NOT_AN_INTEGER),
        (b"[" + b"1" * 61 + b"]", Reason.NOT_AN_INTEGER),
        (b"[01]", Reason.MALFORMED_JSON),
        (b"[1,]", Reason.MALFORMED_JSON),
        (b"", Reason.MALFORMED_JSON),
        (b"{} {}", Reason.MALFORMED_JSON),
        (b'["a', Reason.MALFORMED_JSON),
        (b'["\x00"]', Reason.MALFORMED_JSON),
        (b'["\\ud800"]', Reason.MALFORMED_JSON),
        (b"\xef\xbb\xbf[]", Reason.MALFORMED_JSON),
        (b'["\xff"]', Reason.MALFORMED_JSON),
        ("[１]".encode(), Reason.MALFORMED_JSON),
        (b"[" * 100_000, Reason.TOO_DEEP),
        (b'{"a":' * 20 + b"1" + b"}" * 20, Reason.TOO_DEEP),
    ],
)
def test_the_strict_reader_refuses(data: bytes, reason: Reason) -> None:
    assert refusal(data) == reason


def test_length_is_judged_before_parsing() -> None:
    assert refusal(b"[1]", size=2) == Reason.TOO_LARGE


def test_brackets_in_strings_are_not_depth() -> None:
    assert canonical.decode(b'["[[[[[[[[[[[[[[[[[[\\"[["]') == ['[[[[[[[[[[[[[[[[[["[[']


@pytest.mark.parametrize(
    "value", [1.5, {"a": {1: 2}}, b"x", [object()], {"a": float("nan")}, 10**60, "\ud800"]
)
def test_only_documents_have_canonical_bytes(value: object) -> None:
    with pytest.raises(CanonicalError):
        canonical.encode(value)


def test_a_document_too_deep_to_read_back_is_not_written() -> None:
    value: object = 1
    for _ in range(13):
        value = [value]
    with pytest.raises(CanonicalError) as caught:
        canonical.encode(value)
    assert caught.value.reason == Reason.TOO_DEEP


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        value: object = canonical.decode(data)
    except CanonicalError as err:
        value = str(err.reason)
    assert canonical.decode(canonical.encode(value)) == value


@pytest.mark.parametrize("text", ["a", "A-1.b_c:d@e", "x" * 64])
def test_ids(text: str) -> None:
    assert canonical.check_id(text) == text


@pytest.mark.parametrize("text", ["", "é", "a b", "-a", "a\n", "x" * 65, "a/b", 7, None])
def test_what_is_no_id(text: object) -> None:
    with pytest.raises(CanonicalError) as caught:
        canonical.check_id(text)
    assert caught.value.reason == Reason.MALFORMED_ID


TEXTS = st.sampled_from(["a", "b", ":", "{", "[,", "x y", "\u00e9"])
SPACES = st.sampled_from(["", " ", "\n"])


def spelt(draw: st.DrawFn, depth: int) -> str:
    """JSON text with spaces anywhere and, now and then, a name twice in an object."""
    kind = draw(st.sampled_from(["text", "number", "list", "object"] if depth else ["text"]))
    pad = draw(SPACES)
    if kind == "text":
        return f'{pad}"{draw(TEXTS)}"{pad}'
    if kind == "number":
        return str(draw(st.integers(-9, 9)))
    size = draw(st.integers(0, 3))
    if kind == "list":
        return "[" + ",".join(spelt(draw, depth - 1) for _ in range(size)) + f"{pad}]"
    members = (f'"{draw(TEXTS)}"{pad}:{spelt(draw, depth - 1)}' for _ in range(size))
    return "{" + ",".join(members) + pad + "}"


@given(st.composite(spelt)(3))
def test_a_doubled_name_is_refused_wherever_it_stands(text: str) -> None:
    def distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise LookupError
        return dict(pairs)

    try:
        expected: object = json.loads(text, object_pairs_hook=distinct)
    except LookupError:
        expected = Reason.DUPLICATE_KEY
    try:
        found: object = canonical.decode(text.encode())
    except canonical.CanonicalError as error:
        found = error.reason
    assert found == expected
