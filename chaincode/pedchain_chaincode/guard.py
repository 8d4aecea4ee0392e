# SPDX-License-Identifier: Apache-2.0
"""The mark of a submit method that names the guard it reads.

An endorsed transaction never expires, so whatever can lapse (an open period, a valid key, a state
not yet closed) must be read by every transaction that relies on it: once the guard's key has
changed, the withheld transaction fails MVCC. The determinism lint checks that each submit method
carries `@guarded(name)` and awaits `guards.<name>`, and that this function reads state.
"""

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F")


def guarded(*guards: str) -> Callable[[F], F]:
    """Declare which guards a submit method awaits; the lint holds it to that."""
    if not guards:
        raise TypeError("a submit method has at least one guard")

    def mark(method: F) -> F:
        return method

    return mark
