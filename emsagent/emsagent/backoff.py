# SPDX-License-Identifier: Apache-2.0
"""How long to wait before the next attempt: doubling, bounded, and spread by chance.

The spread keeps a street of homes that lost the same gateway from coming back as one.
"""

import secrets
from collections.abc import Callable

from emsagent import limits

Jitter = Callable[[], float]


def chance() -> float:
    """A number from 0 to 1 nobody can foresee."""
    return secrets.randbelow(1 << 20) / (1 << 20)


def wait_s(failures: int, retry_after_s: float | None = None, jitter: Jitter = chance) -> float:
    """Seconds to wait after so many failures in a row (1 or more).

    Half of the wait is fixed, half is chance. What the gateway asked for (Retry-After) is the
    least that is waited, within reason.
    """
    doubled: float = limits.BACKOFF_FIRST_S * 2 ** min(failures - 1, 30)
    ceiling = min(limits.BACKOFF_MAX_S, doubled)
    wait = ceiling * (0.5 + 0.5 * jitter())
    if retry_after_s is not None:
        wait = max(wait, min(retry_after_s, limits.RETRY_AFTER_MAX_S))
    return wait
