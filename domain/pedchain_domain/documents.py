# SPDX-License-Identifier: Apache-2.0
"""Registered documents: their fields, checked once when they enter the ledger (rules M, X).

`check` refuses what later code would stumble over, so that folds and closes may rely on every
field. Fields it does not know are refused too: a misspelt parameter must not be silently unused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pedchain_domain import calendar, der, limits, text
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
_Test = Callable[[Any], bool]

KINDS = (
    "GCP", "GEN", "STO", "HYB", "UNIT", "EVSE", "HP", "HEAT_IN", "HEAT_OUT", "HEAT_GEN", "GAS",
    "MOB", "FEEDER",
)  # fmt: skip
PLANS = ("P0", "P1", "P2", "P3", "P4", "P5", "P6")
ROLES = ("I", "E", "G", "Ch", "D", "in", "out", "Q", "V", "m")
AUTHORITIES = ("dso", "meter", "agent")
RULES = {"R1": "electric", "R2": "primary", "R3": "ped"}
DECLARED = ("metered", "declared", "unknown", "none")
GRAINS = (900, 3600)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Section X of the rules: defaults, each of which a district's document may override.

    Coverage thresholds in ppm, share in percent, the rest in the unit of the name.
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
    _fields(document, {"schema": lambda _: True, **shape})
    further = _FURTHER.get(document["schema"])
    if further is not None:
        further(document)
    return document


def key_at(device: Document, counter: int) -> str | None:
    """The hex key a device signs with at a counter; None before its first (rules R1)."""
    for generation in (device, *reversed(device.get("former", []))):
        if counter >= generation["first_counter"]:
            spki: str = generation["key"]["spki"]
            return spki
    return None


def _fields(document: Mapping[str, Any], shape: Mapping[str, _Test]) -> None:
    optional = {name[:-1] for name in shape if name.endswith("?")}
    for name in document:
        if name not in shape and name not in optional:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "a field nobody reads")
    for name, test in shape.items():
        plain = name.removesuffix("?")
        if plain not in document:
            if name.endswith("?"):
                continue
            raise DomainError(Reason.MALFORMED_DOCUMENT, plain)
        if not test(document[plain]):
            raise DomainError(Reason.MALFORMED_DOCUMENT, plain)


def _id(value: object) -> bool:
    return isinstance(value, str) and text.is_id(value, limits.ID_LENGTH)


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= limits.REGISTER_WH


def _positive(value: object) -> bool:
    return _count(value) and value != 0


def _id_or_none(value: object) -> bool:
    return value is None or _id(value)


def _count_or_none(value: object) -> bool:
    return value is None or _count(value)


def _one_of(*values: object) -> _Test:
    return lambda value: value in values and not isinstance(value, bool)


def _ids(value: object) -> bool:
    return isinstance(value, list) and 0 < len(value) <= 32 and all(_id(item) for item in value)


def _key(value: object) -> bool:
    if not isinstance(value, dict) or sorted(value) != ["alg", "spki"] or value["alg"] != "ES256":
        return False
    if not isinstance(value["spki"], str):
        return False
    der.public_key(value["spki"])
    return True


def _registers(value: object) -> bool:
    shape: dict[str, _Test] = {
        "role": _one_of(*ROLES),
        "num?": _positive,
        "den?": _positive,
        "modulus_wh?": _count_or_none,
        "resolution_wh?": _positive,
    }
    if not isinstance(value, dict) or not 0 < len(value) <= 16:
        return False
    for register in value.values():
        if not isinstance(register, dict):
            return False
        _fields(register, shape)
    roles = [register["role"] for register in value.values()]
    return len(sorted(set(roles))) == len(roles)


def _registers_wh(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= 16
        and all(role in ROLES and _count(wh) for role, wh in value.items())
    )


def _overrides(value: object) -> bool:
    known = [field.name for field in fields(Parameters)]
    return isinstance(value, dict) and all(
        name in known and _count(setting) for name, setting in value.items()
    )


def _boundary(value: object) -> bool:
    return isinstance(value, dict) and sorted(value) == ["id", "kind"] and _id(value["id"])


def _rows(value: object) -> bool:
    shape: dict[str, _Test] = {
        "day": lambda day: isinstance(day, str),
        "start": _count,
        "end": _count,
        "type": _one_of(*calendar.TYPES),
    }
    if not isinstance(value, list) or not 0 < len(value) <= 800:
        return False
    for row in value:
        if not isinstance(row, dict):
            return False
        _fields(row, shape)
    calendar.check(value)
    return True


def _numbers(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and _count_or_none(number) for name, number in value.items()
    )


def _hours(value: object) -> bool:
    if not isinstance(value, dict) or sorted(value) != ["start", "values"]:
        return False
    hours = value["values"]
    return (
        _count(value["start"])
        and value["start"] % 3600 == 0
        and isinstance(hours, list)
        and len(hours) <= 10_000
        and all(_count_or_none(number) for number in hours)
    )


def _intensity(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    _fields(value, {"hour?": _hours, "month?": _numbers, "year?": _numbers})
    return True


def _weights(value: object) -> bool:
    """Per carrier: [renewable, non-renewable, CO2] x 1000 of grid, on site, export A and B."""
    sides = ["export_a", "export_b", "grid", "insitu"]
    return isinstance(value, dict) and all(
        isinstance(carrier, dict)
        and sorted(carrier) == sides
        and all(
            isinstance(carrier[side], list)
            and len(carrier[side]) == 3
            and all(_count(factor) for factor in carrier[side])
            for side in sides
        )
        for carrier in value.values()
    )


def _plausible_site(site: Document) -> None:
    if site["plan"] == "P5" and "unmetered_generation_w" not in site:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "unmetered_generation_w")


_SHAPES: dict[str, dict[str, _Test]] = {
    "district/1": {
        "id": _id,
        "boundary": _boundary,
        "zone": _id,
        "grain": _one_of(*GRAINS),
        "calendar": _ids,
        "factors": _id,
        "dso": _id,
        "operator": _id,
        "rule": _one_of(*RULES),
        "shards": lambda value: type(value) is int and 0 < value <= 64,
        "parameters": _overrides,
        "network?": _id,
    },
    "calendar/1": {"id": _id, "rows": _rows},
    "factors/1": {
        "version": _id,
        "source": lambda value: isinstance(value, str) and len(value) <= 2_000,
        "intensity": _intensity,
        "primary": _weights,
        "reference": _numbers,
    },
    "site/1": {
        "id": _id,
        "plan": _one_of(*PLANS),
        "connection_w": _positive,
        "feeder": _id,
        "substation": _id,
        "zone": _id,
        "heating": _one_of(*DECLARED),
        "vehicles": _one_of(*DECLARED),
        "from": _count,
        "to?": _count_or_none,
        "battery_wh?": _count,
        "unmetered_generation_w?": _count,
    },
    "point/1": {
        "id": _id,
        "site": _id,
        "kind": _one_of(*KINDS),
        "parent": _id_or_none,
        "p_max_w": _positive,
    },
    "device/1": {
        "id": _id,
        "point": _id,
        "key": _key,
        "registers": _registers,
        "from": _count,
        "to": _count_or_none,
        "first_counter": _count,
        "authority?": _one_of(*AUTHORITIES),
    },
    "rotate/1": {"device": _id, "key": _key, "first_counter": _count},
    "revoke/1": {"device": _id, "counter": _count},
    "exchange/1": {
        "point": _id,
        "old": _id,
        "final": _registers_wh,
        "new": _id,
        "initial": _registers_wh,
        "at": _count,
    },
}
_FURTHER: dict[str, Callable[[Document], None]] = {"site/1": _plausible_site}
