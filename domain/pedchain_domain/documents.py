# SPDX-License-Identifier: Apache-2.0
"""Registered documents: their fields, checked once when they enter the ledger (rules M, X).

`check` refuses what later code would stumble over, so that folds and closes may rely on every
field. Documents about people, shares and claims are in `members`, factor tables in `factors`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from pedchain_domain import calendar, factors, instants, members, sampling
from pedchain_domain.fields import (
    Shape,
    Test,
    count,
    count_or_none,
    identifier,
    identifier_or_none,
    identifiers,
    key,
    meter_key,
    one_of,
    positive,
)
from pedchain_domain.fields import check as check_fields
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]

KINDS = (
    "GCP", "GEN", "STO", "HYB", "UNIT", "EVSE", "HP", "HEAT_IN", "HEAT_OUT", "HEAT_GEN", "GAS",
    "MOB", "FEEDER",
)  # fmt: skip
PLANS = ("P0", "P1", "P2", "P3", "P4", "P5", "P6", "F0")
ROLES = ("I", "E", "G", "Ch", "D", "in", "out", "Q", "V", "m")
AUTHORITIES = ("dso", "meter", "agent")
RULES = {"R1": "electric", "R2": "primary", "R3": "ped"}
DECLARED = ("metered", "declared", "unknown", "none")
GRAINS = (900, 3600)
REGISTRATIONS = ("net_of_phases", "per_phase")
GOVERNED = ("rule", "factors", "parameters")
"""What of a district the DSO and every district decide together, from a later day on (rules V6)."""
# A register's name as meters send it: OBIS in full or short, or a vendor's word (IEC 62056-61).
_OBIS = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:*_-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Section X of the rules: defaults, each of which a district's document may override.

    Coverage thresholds in ppm, share in percent, the rest in the unit of the name. `group_sites` is
    the least number of members' sites a published number may rest on (rules C2).
    """

    coverage_window_ppm: int = 980_000
    coverage_month_ppm: int = 900_000
    profile_coverage_ppm: int = 950_000
    window_days: int = 365
    group_sites: int = 15
    group_share_percent: int = 15
    k_exp: int = 1
    unknown_scope_percent: int = 10
    bound_by_capacity: int = 0
    # Grid connections behind the district's feeder, members or not (0: unknown), the power of one
    # that is no member, and how much of the feeder's energy may be losses (plausibility).
    connections: int = 0
    other_connection_w: int = 25_000
    feeder_tolerance_ppm: int = 60_000


def parameters(district: Document) -> Parameters:
    """The parameters of a checked district/1."""
    return Parameters(**district["parameters"])


def check(document: object) -> Document:
    """The document, if its `schema` is known and each field is as it must be; DomainError."""
    if not isinstance(document, dict):
        raise DomainError(Reason.MALFORMED_DOCUMENT)
    schema = document.get("schema")
    shape = _SHAPES.get(schema) if isinstance(schema, str) else None
    if shape is None:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "schema")
    check_fields(document, {"schema": lambda _: True, **shape})
    further = _FURTHER.get(document["schema"])
    if further is not None:
        further(document)
    return document


def check_template(device: object) -> Document:
    """A device/1 that still lacks its key, as a claim holds it; DomainError."""
    if not isinstance(device, dict) or device.get("schema") != "device/1":
        raise DomainError(Reason.MALFORMED_DOCUMENT, "device")
    shape = {name: test for name, test in _SHAPES["device/1"].items() if name != "key"}
    check_fields(device, {"schema": lambda _: True, **shape})
    return device


def key_at(device: Document, counter: int) -> str | None:
    """The hex key a device signs with at a counter; None before its first (rules R1)."""
    for generation in (device, *reversed(device.get("former", []))):
        if counter >= generation["first_counter"]:
            spki: str = generation["key"]["spki"]
            return spki
    return None


def changes_governed(former: Document, district: Document) -> bool:
    """Whether a district's next document changes what all districts decide together."""
    return any(former[name] != district[name] for name in GOVERNED)


def _registers(value: object) -> bool:
    shape: Shape = {
        "role": one_of(*ROLES),
        "num?": positive,
        "den?": positive,
        "modulus_wh?": count_or_none,
        "resolution_wh?": positive,
        "registration?": one_of(*REGISTRATIONS),
    }
    if not isinstance(value, dict) or not 0 < len(value) <= 16:
        return False
    for obis, register in value.items():
        if not isinstance(register, dict) or not _OBIS.match(obis):
            return False
        check_fields(register, shape)
    roles = [register["role"] for register in value.values()]
    return len(sorted(set(roles))) == len(roles)


def _registers_wh(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= 16
        and all(role in ROLES and count(wh) for role, wh in value.items())
    )


def _overrides(value: object) -> bool:
    known = [field.name for field in fields(Parameters)]
    return isinstance(value, dict) and all(
        name in known and count(setting) for name, setting in value.items()
    )


def _boundary(value: object) -> bool:
    return isinstance(value, dict) and sorted(value) == ["id", "kind"] and identifier(value["id"])


def _day(value: object) -> bool:
    if not isinstance(value, str):
        return False
    instants.parse_day(value)
    return True


def _rows(value: object) -> bool:
    shape: dict[str, Test] = {
        "day": lambda day: isinstance(day, str),
        "start": count,
        "end": count,
        "type": one_of(*calendar.TYPES),
    }
    if not isinstance(value, list) or not 0 < len(value) <= 800:
        return False
    for row in value:
        if not isinstance(row, dict):
            return False
        check_fields(row, shape)
    calendar.check(value)
    return True


def _plausible_site(site: Document) -> None:
    if site["plan"] == "P5" and "unmetered_generation_w" not in site:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "unmetered_generation_w")


def _revision(revision: Document) -> None:
    if check(revision["document"])["schema"] not in ("site/1", "point/1"):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "document")


_SHAPES: dict[str, Shape] = {
    "district/1": {
        "id": identifier,
        "boundary": _boundary,
        "zone": identifier,
        "grain": one_of(*GRAINS),
        "calendar": identifiers,
        "factors": identifier,
        "dso": identifier,
        "operator": identifier,
        "rule": one_of(*RULES),
        "shards": lambda value: type(value) is int and 0 < value <= 64,
        "parameters": _overrides,
        "network?": identifier,
        "from?": _day,
    },
    "calendar/1": {"id": identifier, "rows": _rows},
    "factors/1": factors.SHAPE,
    "site/1": {
        "id": identifier,
        "plan": one_of(*PLANS),
        "connection_w": positive,
        "feeder": identifier,
        "substation": identifier,
        "zone": identifier,
        "heat_network?": identifier_or_none,
        "heating": one_of(*DECLARED),
        "vehicles": one_of(*DECLARED),
        "from": count,
        "to?": count_or_none,
        "battery_wh?": count,
        "unmetered_generation_w?": count,
        "combustion_m_per_day?": count,
    },
    "point/1": {
        "id": identifier,
        "site": identifier,
        "kind": one_of(*KINDS),
        "parent": identifier_or_none,
        "p_max_w": positive,
    },
    "device/1": {
        "id": identifier,
        "point": identifier,
        "key": meter_key,
        "registers": _registers,
        "from": count,
        "to": count_or_none,
        "first_counter": count,
        "authority?": one_of(*AUTHORITIES),
    },
    "rotate/1": {"device": identifier, "key": key, "first_counter": count},
    "revoke/1": {"device": identifier, "counter": count},
    "suspend/1": {"device": identifier, "from": count},
    "resume/1": {"device": identifier, "at": count},
    "exchange/1": {
        "point": identifier,
        "old": identifier,
        "final": _registers_wh,
        "new": identifier,
        "initial": _registers_wh,
        "at": count,
    },
    "sample/1": sampling.SHAPE,
    "revision/1": {"document": lambda value: isinstance(value, dict), "since": _day},
    **members.SHAPES,
}
_FURTHER: dict[str, Callable[[Document], None]] = {
    "site/1": _plausible_site,
    "factors/1": factors.check,
    "sample/1": sampling.check,
    "revision/1": _revision,
    **members.FURTHER,
}
