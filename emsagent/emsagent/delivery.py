# SPDX-License-Identifier: Apache-2.0
"""Bringing an outbox to its gateway: oldest first, same bytes every time, patiently."""

import time
from collections.abc import Sequence

from emsagent import limits, logs
from emsagent.backoff import wait_s
from emsagent.errors import UplinkError
from emsagent.failpoint import Failpoint, reach
from emsagent.home import Home
from emsagent.outbox import Entry, State, Verdict
from emsagent.uplink import Answer, Uplink

_SETTLES = {
    "recorded": State.RECORDED,
    "duplicate": State.RECORDED,
    "rejected": State.REJECTED,
    "conflict": State.CONFLICT,
}
_LATER = ("unknown-device", "endorsers-disagree", "contract-fault")
"""Rejections that somebody's work lifts: the device is being registered, a fault of the platform
is being mended. Such a record stays due."""


async def deliver(home: Home, uplink: Uplink) -> float:
    """Send until nothing is due or the gateway wants a pause; returns its length in seconds.

    Never raises for what the network or the gateway do: that becomes a pause, remembered on
    the disk so that a restart does not shorten it.
    """
    while True:
        rest = _rest_s(home)
        if rest > 0:
            return rest
        batch = _batch(home, uplink.records_max)
        if not batch:
            return 0.0
        await _send(home, uplink, batch)


def _rest_s(home: Home) -> float:
    """What is left of a pause; a clock set back cannot stretch it past the longest pause."""
    _, until_ms = home.outbox.pause()
    return min(max(0.0, until_ms / 1000 - time.time()), limits.RETRY_AFTER_MAX_S)


def _batch(home: Home, most: int) -> list[Entry]:
    size = 0
    batch: list[Entry] = []
    for entry in home.outbox.due(most):
        size += len(entry.content) + 1
        if batch and size > limits.POST_BYTES_MAX:
            break
        batch.append(entry)
    return batch


async def _send(home: Home, uplink: Uplink, batch: Sequence[Entry]) -> None:
    home.outbox.note_attempt(entry.id for entry in batch)
    reach(Failpoint.ATTEMPT_NOTED)
    try:
        answers = await uplink.post([entry.content for entry in batch])
    except UplinkError as error:
        _pause(home, error.retry_after_s, str(error))
        return
    reach(Failpoint.ANSWERED)
    verdicts = [
        Verdict(entry.id, _SETTLES[answer.status], answer.reason, answer.transaction)
        for entry, answer in zip(batch, answers, strict=True)
        if _is_settled(answer)
    ]
    home.outbox.settle(verdicts)
    reach(Failpoint.SETTLED)
    for entry, answer in zip(batch, answers, strict=True):
        _watch(home, entry, answer)
    if len(verdicts) < len(batch):
        _pause(home, None, "some outcomes are not known yet")
    elif home.outbox.pause() != (0, 0):
        home.outbox.set_pause(0, 0)


def _is_settled(answer: Answer) -> bool:
    return answer.status in _SETTLES and not (
        answer.status == "rejected" and answer.reason in _LATER
    )


def _watch(home: Home, entry: Entry, answer: Answer) -> None:
    """Raise the alarms that an answer calls for."""
    named = f"{entry.device} counter {entry.counter}"
    if answer.status == "conflict":
        home.alarm("conflict", f"{named}: the ledger holds another payload; the device is blocked")
    elif answer.status == "rejected":
        home.alarm("rejected", f"{named}: {answer.reason}")
    elif answer.status == "duplicate" and entry.attempts == 0:
        home.alarm(
            "sent-by-another", f"{named}: recorded before our first attempt; is this a copy?"
        )


def _pause(home: Home, retry_after_s: float | None, why: str) -> None:
    failures = home.outbox.pause()[0] + 1
    wait = wait_s(failures, retry_after_s)
    home.outbox.set_pause(failures, int((time.time() + wait) * 1000))
    logs.event("waiting", home=home.config.id, failures=failures, wait_s=round(wait, 1), why=why)
