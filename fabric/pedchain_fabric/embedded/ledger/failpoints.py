# SPDX-License-Identifier: Apache-2.0
"""Named places at which a test can kill the process, to prove that nothing is half written.

`PEDCHAIN_FAILPOINT=<name>` kills at the first passage, `<name>:<n>` at the n-th.
"""

import os
import signal
from collections import Counter
from typing import Final

VARIABLE: Final = "PEDCHAIN_FAILPOINT"

NAMES: Final = (
    "transient.put",
    "commit.begin",
    "commit.validated",
    "commit.block",
    "commit.state",
    "commit.private",
    "commit.history",
    "commit.before-durable",
    "commit.durable",
)

_passages: Counter[str] = Counter()


def reach(name: str) -> None:
    """Kill this process (SIGKILL) if the environment names this place."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    place, _, passage = wanted.partition(":")
    if place != name:
        return
    _passages[name] += 1
    if _passages[name] == int(passage or 1):
        os.kill(os.getpid(), signal.SIGKILL)
