# SPDX-License-Identifier: Apache-2.0
"""Values no meter can have: held back and told, so that no energy is made of them.

A register that fell, and one that rose by more than the connection can carry (rules R4), are
compared with the last good value, so that one bad telegram costs one reading and nothing else. A
register that stays lower, as after a meter exchange, stays held back: that needs a new device.
"""

from collections.abc import Sequence
from decimal import Decimal

from emsagent.drivers import Register
from emsagent.errors import DriverFault

_WH = {"Wh": 1, "kWh": 1_000}
MARGIN_PERCENT = 102


class Screen:
    """One meter's last good registers. `power_max_w` is the most its connection carries."""

    def __init__(self, power_max_w: int) -> None:
        self._power_max_w = power_max_w
        self._good: dict[str, tuple[float, Decimal]] = {}

    def check(self, steady_s: float, registers: Sequence[Register]) -> None:
        """Raise `DriverFault` `decrease` or `spike`; else these are the last good ones.

        `steady_s` counts seconds whatever happens to the clock.
        """
        for register in registers:
            self._check(steady_s, register)
        for register in registers:
            self._good[register.obis] = (steady_s, _value(register))

    def _check(self, steady_s: float, register: Register) -> None:
        known = self._good.get(register.obis)
        if known is None:
            return
        since, before = known
        rise = _value(register) - before
        if rise < 0:
            raise DriverFault("decrease", register.obis)
        if register.unit not in _WH:
            return
        passed_ms = int(1_000 * (steady_s - since))
        cap = self._power_max_w * passed_ms * MARGIN_PERCENT // 360_000_000 + 1
        if rise > cap:
            raise DriverFault("spike", register.obis)


def _value(register: Register) -> Decimal:
    return Decimal(register.text) * _WH.get(register.unit, 1)
