# SPDX-License-Identifier: Apache-2.0
"""Is a district's day physically plausible: its connections' power, the DSO's feeder meter.

A signature proves which device spoke, not that it measured right. Two things are checked with
what the district's own meters cannot choose: no interval may draw or feed in more than all
connections together can (R4's cap), and the DSO's meter at the boundary must see what the members'
meters say: feeder import - export = members' import - export + losses. That balance holds only
where every connection behind the feeder is a member and all of them were read; else what the
others use stays open, and the feeder's numbers would tell it, so just the bound is stated.

    {capacity: {connections_w, interval_cap_wh, within},
     feeder: null | {kind: "balance", import_wh, export_wh, residual_wh, tolerance_wh, within}
                  | {kind: "bounds", others, bound_wh, within}}
"""

from typing import Any

from pedchain_domain import registers
from pedchain_domain.calendar import Day
from pedchain_domain.documents import Parameters
from pedchain_domain.numbers import PPM
from pedchain_domain.reasons import Reason

Document = dict[str, Any]
#: Registers round down, at both ends of a day.
_ROUNDING_WH = 5
_NUMBERS = ("import_wh", "export_wh", "residual_wh")


def judge(totals: Document, day: Day, grain: int, setting: Parameters) -> Document:
    """What the certificate states; numbers that tell of too few homes are left to `shown`."""
    power = totals["connections_w"]
    most = registers.cap(power, grain, grain) if power else 0
    return {
        "capacity": {
            "connections_w": power,
            "interval_cap_wh": most,
            "within": max(totals["peak"]) <= most,
        },
        "feeder": _feeder(totals, day, setting),
    }


def _feeder(totals: Document, day: Day, setting: Parameters) -> Document | None:
    feeder, additive = totals["feeder"], totals["additive"]
    if feeder["points"] == 0:
        return None
    if feeder["missing"]:
        return {"kind": "missing", "within": None}
    residual = feeder["I"] - feeder["E"] - additive.get("I", 0) + additive.get("E", 0)
    tolerance = (feeder["I"] + feeder["E"]) * setting.feeder_tolerance_ppm // PPM + _ROUNDING_WH
    others = setting.connections - totals["sites"]
    if setting.connections and others == 0 and not additive.get("class.X"):
        return {
            "kind": "balance",
            "import_wh": feeder["I"],
            "export_wh": feeder["E"],
            "residual_wh": residual,
            "tolerance_wh": tolerance,
            "within": abs(residual) <= tolerance,
        }
    if not setting.connections or others < 0:
        return {"kind": "bounds", "others": None, "bound_wh": None, "within": None}
    seconds = day["end"] - day["start"]
    bound = others * setting.other_connection_w * seconds // 3600 + additive.get("draw", 0)
    return {
        "kind": "bounds",
        "others": others,
        # The draw of silent members is one home's business: the printed bound is without it.
        "bound_wh": others * setting.other_connection_w * seconds // 3600,
        "within": abs(residual) <= bound + tolerance,
    }


def shown(found: Document, is_hidden: bool, notes: dict[str, str]) -> Document:
    """The statement without the feeder's numbers where import or export is not printed."""
    feeder = found["feeder"]
    if feeder is None:
        return found
    if feeder["kind"] == "missing":
        notes["plausibility.feeder"] = str(Reason.FEEDER_MISSING)
    elif feeder["kind"] == "bounds":
        notes["plausibility.feeder"] = str(Reason.NOT_ALL_MEMBERS)
    elif is_hidden:
        for name in _NUMBERS:
            notes[f"plausibility.feeder.{name}"] = str(Reason.GROUP_TOO_SMALL)
        return {**found, "feeder": {**feeder, **dict.fromkeys((*_NUMBERS, "tolerance_wh"))}}
    return found
