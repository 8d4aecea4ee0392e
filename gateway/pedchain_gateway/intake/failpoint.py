# SPDX-License-Identifier: Apache-2.0
"""Named places where a test may kill this process, to prove that nothing is lost there.

`PEDGATEWAY_FAILPOINT=name` ends the process by SIGKILL the first time it comes to that place.
"""

import os
import signal
from enum import StrEnum

VARIABLE = "PEDGATEWAY_FAILPOINT"


class Failpoint(StrEnum):
    """Every place between taking a record and answering for it."""

    RECEIVED = "received"
    SPOOLED = "spooled"
    ENDORSED = "endorsed"
    NOTED = "noted"
    COMMITTED = "committed"
    SETTLED = "settled"


def reach(point: Failpoint) -> None:
    """End the process here if it was asked to."""
    if os.environ.get(VARIABLE) == point.value:
        os.kill(os.getpid(), signal.SIGKILL)
