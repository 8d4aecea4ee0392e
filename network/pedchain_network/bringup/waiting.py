# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other processes must do first: looked at often, given up with a reason."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from pedchain_fabric.errors import AdminError, CommitError, GatewayError
from pedchain_network.errors import PartError
from pedchain_network.limits import PAUSE_S, STEP_TIMEOUT_S

# A young network refuses in many ways: peers not yet found, orderers without a leader, blocks on
# their way. All of them pass, or the deadline ends them with the last one's words.
TRANSIENT = (AdminError, GatewayError, CommitError)


async def until(
    attempt: Callable[[], Awaitable[bool]],
    part: str,
    goal: str,
    timeout_s: float = STEP_TIMEOUT_S,
) -> None:
    """Repeat `attempt` until it returns True.

    Raises `PartError`, naming the part of the network asked, the goal and the last refusal.
    """
    deadline = time.monotonic() + timeout_s
    refusal = "not done in time"
    while True:
        try:
            if await attempt():
                return
        except TRANSIENT as error:
            refusal = str(error)
        if time.monotonic() > deadline:
            raise PartError(part, f"{goal}: gave up after {timeout_s:.0f} s: {refusal}")
        await asyncio.sleep(PAUSE_S)
