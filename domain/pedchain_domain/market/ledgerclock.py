# SPDX-License-Identifier: Apache-2.0
"""The ledger's clock: what the organisations say together (rules K5).

Each posts ticks of its own that never go back. Of n organisations f = (n - 1) // 3 may lie or be
silent; the clock is the (f + 1)-th smallest of the newest ticks. At least one honest organisation
has said a time as late, so a lie cannot run it ahead; f laggards cannot hold it.
"""

from collections.abc import Mapping, Sequence

from pedchain_domain.limits import LATEST_INSTANT
from pedchain_domain.reasons import DomainError, Reason


def clock(ticks: Mapping[str, int], organizations: Sequence[str]) -> int:
    """The time, UTC s. An organisation that never ticked counts as 0.

    >>> clock({"a": 1000, "b": 1001, "c": 1002, "d": 9999}, ["a", "b", "c", "d"])
    1001
    """
    if not organizations:
        return 0
    newest = sorted(ticks.get(name, 0) for name in organizations)
    return newest[(len(newest) - 1) // 3]


def tick(last: int, instant: int) -> int:
    """An organisation's next tick; DomainError `clock-backwards`, `malformed-time`."""
    if not 0 <= instant <= LATEST_INSTANT:
        raise DomainError(Reason.MALFORMED_TIME)
    if instant < last:
        raise DomainError(Reason.CLOCK_BACKWARDS)
    return instant
