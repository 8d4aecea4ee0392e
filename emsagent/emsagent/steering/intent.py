# SPDX-License-Identifier: Apache-2.0
"""What a home plans and has in the market, as a running agent's files say."""

import json
from pathlib import Path
from typing import Any

from emsagent import limits
from emsagent.config import Config
from emsagent.steering.places import market_path, pause_path, plan_path


def intent(config: Config, home: str) -> dict[str, object]:
    """What a home plans and has in the market, as its files say; nothing where there are none."""
    found: dict[str, object] = {}
    plan = _read(plan_path(config, home))
    if plan:
        told = {name: plan[name]["cost_ucur"] for name in ("figures", "unmanaged")}
        found["plan"] = {
            "made": plan["made"],
            "method": plan["plan"]["method"],
            "why_now": plan["plan"]["reasons"][:1],
            "cost_ucur": told["figures"],
            "unmanaged_cost_ucur": told["unmanaged"],
            "paused": pause_path(config, home).exists(),
        }
    market = _read(market_path(config, home))
    if market:
        found["market"] = [
            {
                "side": one["side"],
                "lines": len(one["lines"]),
                "most_lost_ucur": one["most_lost_ucur"],
            }
            for one in market["orders"]
        ]
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(limits.PROBLEM_BYTES_MAX))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
