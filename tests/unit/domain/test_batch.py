# SPDX-License-Identifier: Apache-2.0
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import batch, limits
from pedchain_domain.reasons import DomainError, Reason


def refusal(data: bytes) -> Reason:
    with pytest.raises(DomainError) as caught:
        batch.decode(data)
    return caught.value.reason


def framed(count: int, length: int, raw: bytes) -> bytes:
    return count.to_bytes(4, "big") + length.to_bytes(4, "big") + zlib.compress(raw)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_a_batch_reads_back(records: list[bytes]) -> None:
    assert batch.decode(batch.encode(records)) == records


def test_a_cut_stream_is_refused_although_zlib_gives_its_data() -> None:
    assert refusal(batch.encode([b"a" * 50])[:-1]) == Reason.MALFORMED_BATCH


def test_bytes_after_the_stream_are_refused() -> None:
    assert refusal(batch.encode([b"a"]) + b"\x00") == Reason.MALFORMED_BATCH


def test_the_length_is_exact() -> None:
    raw = b"\x00\x00\x00\x01a"
    assert batch.decode(framed(1, 5, raw)) == [b"a"]
    assert refusal(framed(1, 4, raw)) == Reason.MALFORMED_BATCH
    assert refusal(framed(1, 6, raw)) == Reason.MALFORMED_BATCH


def test_the_count_is_exact() -> None:
    assert refusal(framed(2, 5, b"\x00\x00\x00\x01a")) == Reason.MALFORMED_BATCH


@pytest.mark.parametrize("raw", [b"\x00\x00\x00\x02a", b"\x00\x00\x00", b"\xff\xff\xff\xffa"])
def test_a_record_that_runs_over_is_refused(raw: bytes) -> None:
    assert refusal(framed(1, len(raw), raw)) == Reason.MALFORMED_BATCH


def test_a_bomb_is_refused_by_its_declared_length_and_never_inflated_past_it() -> None:
    bomb = b"\x00" * (limits.BATCH_RAW_BYTES + 1)
    assert refusal(framed(1, len(bomb), bomb)) == Reason.TOO_LARGE
    assert refusal(framed(1, 10, bomb)) == Reason.MALFORMED_BATCH


def test_bounds_hold_on_both_sides() -> None:
    assert refusal(framed(limits.BATCH_RECORDS + 1, 0, b"")) == Reason.TOO_LARGE
    with pytest.raises(DomainError, match="too-large"):
        batch.encode([b""] * (limits.BATCH_RECORDS + 1))


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    outcome: object
    try:
        outcome = batch.encode(batch.decode(data))
    except DomainError as err:
        outcome = err.reason
    assert isinstance(outcome, bytes) or outcome in (Reason.MALFORMED_BATCH, Reason.TOO_LARGE)
