# SPDX-License-Identifier: Apache-2.0
"""Where a home's plan, its pause and its orders are kept, for those who write and who read them."""

from pathlib import Path

from emsagent.config import Config


def plan_path(config: Config, home: str) -> Path:
    """Where the plan in force lies."""
    return config.state / "plan" / f"{home}.json"


def pause_path(config: Config, home: str) -> Path:
    """What lies here while the occupant wants no planning."""
    return config.state / "plan" / f"{home}.paused"


def market_path(config: Config, home: str) -> Path:
    """Where the orders lie that it wants now."""
    return config.state / "market" / f"{home}.json"
