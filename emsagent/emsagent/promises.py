# SPDX-License-Identifier: Apache-2.0
"""What a home has answered to orders, and the setpoints that follow from it.

    <state>/flexibility/<home>.json    {order: {dispatch, answer, sent, ends}}
    setpoints file                     start,end,watts   (UTC epoch seconds; minus: draw less)

`ends` is where following it ends early: an order that is taken back, or that the occupant leaves.
Both files are replaced as a whole. Setpoints are for whatever device can follow them: a heat pump's
controller, a wallbox; a simulated home's meter reads the same file.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emsagent import limits
from emsagent.errors import PlanUnreadable
from pedchain_domain.flexibility.order import end
from pedchain_domain.flexibility.quantity import Direction

Document = dict[str, Any]


@dataclass(slots=True)
class Promise:
    """An order's dispatch to the home, what it answers, and whether the ledger has the answer."""

    dispatch: Document
    answer: str
    sent: bool = False
    ends: int | None = None

    @property
    def start(self) -> int:
        """When the event begins."""
        return int(self.dispatch["start"])

    @property
    def until(self) -> int:
        """Until when the home follows it."""
        last = end(self.dispatch)
        return last if self.ends is None else min(last, self.ends)

    @property
    def watts(self) -> int:
        """What it asks for; minus: draw less."""
        sign = -1 if self.dispatch["direction"] == Direction.DOWN else 1
        return sign * int(self.dispatch["power_w"])

    @property
    def is_followed(self) -> bool:
        """Whether the home follows any of it."""
        return self.start < self.until


class Promises:
    """A home's promises by order, on the disk. Raises `PlanUnreadable`."""

    def __init__(self, path: Path, setpoints: Path) -> None:
        self._path, self._setpoints = path, setpoints
        self.orders = _read(path)

    def keep(self) -> None:
        """Write promises and setpoints."""
        held = {name: asdict(one) for name, one in self.orders.items()}
        replaced(self._path, json.dumps(held))
        lines = [_line(one) for one in self.orders.values() if one.is_followed]
        replaced(self._setpoints, "".join(["start,end,watts\n", *lines]))


def _line(promise: Promise) -> str:
    return f"{promise.start},{promise.until},{promise.watts}\n"


def _read(path: Path) -> dict[str, Promise]:
    if not path.exists():
        return {}
    with path.open("rb") as file:
        raw = file.read(limits.PLAN_BYTES_MAX)
    try:
        return {name: Promise(**values) for name, values in json.loads(raw).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise PlanUnreadable(f"{path} cannot be read") from error


def replaced(path: Path, text: str) -> None:
    """Write a file as a whole, or leave it as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(text)
    os.replace(draft, path)
