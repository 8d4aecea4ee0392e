# SPDX-License-Identifier: Apache-2.0
"""How a test says that a call is refused, and why."""

from collections.abc import Awaitable

import pytest

from pedchain_fabric.shim.testing import TransactionFailed


async def refused(awaited: Awaitable[object], reason: str) -> None:
    """The call fails, and its text names the reason."""
    with pytest.raises(TransactionFailed, match=reason):
        await awaited
