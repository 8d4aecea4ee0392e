# SPDX-License-Identifier: Apache-2.0
"""Can this runtime be used here at all."""

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes.docker import command, engine, supply


def obstacle(release: str) -> str:
    """What stands in the way; nothing if engine, compose and images are there."""
    try:
        with engine.connected() as connected:
            command.find()
            return supply.obstacle(connected, release)
    except RuntimeMissingError as missing:
        return missing.message


def words() -> str:
    """Which engine answers. Raises `RuntimeMissingError` if none does."""
    with engine.connected() as connected:
        return f"engine {connected.version}"
