# SPDX-License-Identifier: Apache-2.0
"""The sentence a district may print with its scope (rules V1, V4, V5). Pure."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_CLAIMS = {
    "electricity": "a positive energy district (electricity)",
    "primary": "a positive energy district (primary energy)",
    "ped": "a positive energy district",
}
_NONE = {
    "not_positive": "its annual balance does not hold against the worst case of what is missing",
    "insufficient_coverage": "too little of the year was measured",
}


def sentence(rolling: Document) -> str:
    """What may be printed, or that nothing may. `rolling` is the rolling certificate."""
    verdict = rolling["verdict"]
    span = f"from {rolling['first']} to {rolling['last']}"
    if verdict["verdict"] == "positive":
        claim = _CLAIMS[verdict["claim"]]
        return f"{rolling['district']} was {claim} {span}. {scope(rolling)}"
    if verdict["verdict"] == "insufficient_history":
        why = f"{rolling['days']} days are certified, and a year is needed"
    else:
        why = _NONE[verdict["verdict"]]
    return f"No claim may be printed for {rolling['district']} {span}: {why}. {scope(rolling)}"


def scope(rolling: Document) -> str:
    """What the claim covers and what it leaves out."""
    boundary = rolling["boundary"]
    parts = [
        f"Boundary: {boundary['kind']} {boundary['id']}",
        *(_carrier(rolling["scope"], carrier) for carrier in ("heating", "vehicles")),
        f"factor table {rolling['factors']}, k_exp {rolling['k_exp']}",
        f"metered energy {_percent(rolling['coverage']['energy_ppm'])} of what was required",
    ]
    return "; ".join(part for part in parts if part) + "."


def _carrier(counts: Mapping[str, int], carrier: str) -> str:
    mine = {
        name.partition(".")[2]: count
        for name, count in sorted(counts.items())
        if name.startswith(f"{carrier}.")
    }
    told = ", ".join(f"{count} {name}" for name, count in mine.items() if count)
    return f"{carrier} of sites: {told}" if told else ""


def _percent(ppm: int | None) -> str:
    return "unknown" if ppm is None else f"{ppm // 10_000}.{ppm // 100 % 100:02d} %"
