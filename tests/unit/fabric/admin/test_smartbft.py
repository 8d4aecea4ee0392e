# SPDX-License-Identifier: Apache-2.0
"""Goal: settings an orderer accepts. Method: Go's notation, and SmartBFT's own order of timers."""

import pytest

from pedchain_fabric.admin.smartbft import Batch, Timers, options, timers_of
from pedchain_fabric.wire.durations import duration


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (10, "10ms"),
        (500, "500ms"),
        (1_500, "1.5s"),
        (2_000, "2s"),
        (60_000, "1m0s"),
        (185_000, "3m5s"),
    ],
)
def test_durations_are_written_as_go_prints_them(milliseconds: int, written: str) -> None:
    assert duration(milliseconds) == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"forward_ms": 3_000},
        {"complain_ms": 200_000},
        {"resend_ms": 5_000},
        {"heartbeat_ms": 0},
        {"collect_ms": -1},
    ],
)
def test_timers_smartbft_would_refuse_are_refused_here(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        Timers(**wrong)


def test_count_and_bytes_repeat_the_batch_that_fabric_reads() -> None:
    written = options(Batch(messages=7, absolute_bytes=9_000), Timers())
    assert (written.request_batch_max_count, written.request_batch_max_bytes) == (7, 9_000)
    assert written.request_pool_size >= 2 * written.request_batch_max_count


def test_timers_are_read_back_from_the_options() -> None:
    timers = Timers(forward_ms=1, complain_ms=2_500, heartbeat_ms=61_000, view_change_ms=5_000)
    assert timers_of(options(Batch(), timers)) == timers
