# SPDX-License-Identifier: Apache-2.0
"""A district's day from its interval sums: shared energy, hourly mismatch, primary energy, CO2
(rules I1, I2, I4 to I9), as numbers that add up over days (I12).

    totals/1 {schema, salt, day, start, end, grain, factors, root, sites,
              additive: {name: integer},   what a window sums; a number that could not be computed
                                           counts 1 in "missing.<name>", one that may not be
                                           printed 1 in "hidden.<name>"
              maxima: [mhs ppm, Wh, mhd ppm, Wh, |net| Wh], peak: [drawn, fed in] Wh of an interval,
              start, end edges: {wh, ghg, nren} of bridges that cross the day's start and end,
              contributions, scope, battery_wh, unmetered_w, findings}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_domain import dayclose
from pedchain_domain import factors as factor_tables
from pedchain_domain.bounds import plus
from pedchain_domain.calendar import Day
from pedchain_domain.documents import parameters
from pedchain_domain.factors import HOUR, NON_RENEWABLE, Intensity, weighted
from pedchain_domain.numbers import PPM
from pedchain_domain.readings import derive_salt

Document = dict[str, Any]
_NETWORK_HEAT = "network_heat_ug_per_wh"
_PARTS = ("ren", "nren", "co2")
_LOW_HOURS_SHARE = 20  # hours below 1/20 of the mean demand have no meaningful ratio (I5)


def day_totals(
    total: Document,
    day: Day,
    district: Document,
    factors: Document,
    mean: tuple[int, int] = (0, 0),
) -> Document:
    """The day's totals/1 of a complete total/1.

    `mean` is (consumption Wh, hours) of the window before the day: with the day's own it gives
    the mean demand below whose twentieth an hour's ratio is not taken (I5).
    """
    grain: int = district["grain"]
    flows = _district_flows(total, (day["end"] - day["start"]) // grain)
    intensities = Intensity(factors)
    additive = {name: sum(values) for name, values in flows.items()}
    additive |= {
        "residual": total["residual"],
        "L": additive["C"] + additive["Ch"] - additive["D"],
        "covered": additive["C"] - additive["X"],
        "covered_site": total["covered_site"],
        "draw": total["bounds"]["draw"],
        "known_s": total["coverage"][0],
        "profile_s": total["coverage"][1],
        "required_s": total["coverage"][2],
        "ci_fallback_hours": intensities.fallbacks(day["start"], day["end"]),
        **{f"class.{letter}": count for letter, count in total["classes"].items()},
        **{f"detail.{name}": amount for name, amount in total["detail"].items()},
    }
    hours, maxima = hourly(flows, day, grain, mean)
    calorific = factor_tables.calorific_wh_per_m3(factors, day["start"])
    carbon = _carbon(flows, total, day, grain, factors["reference"], intensities, calorific)
    primary, edges = _primary(additive, total, factors, parameters(district).k_exp, calorific)
    additive |= hours
    _put(additive, carbon)
    _put(additive, primary)
    return {
        "schema": "totals/1",
        "salt": derive_salt("totals", [total["salt"]]),
        "day": day["day"],
        "grain": grain,
        "factors": factors["version"],
        "root": dayclose.district_root(total),
        "additive": {name: value for name, value in additive.items() if value},
        "maxima": maxima,
        "peak": [max(flows["I"], default=0), max(flows["E"], default=0)],
        "edges": edges,
        **{name: total[name] for name in _CARRIED},
    }


_CARRIED = (
    "sites", "contributions", "scope", "battery_wh", "unmetered_w", "connections_w", "feeder",
    "findings",
)  # fmt: skip


def _put(additive: dict[str, int], numbers: Mapping[str, int | None]) -> None:
    for name, value in numbers.items():
        if value is None:
            additive[f"missing.{name}"] = 1
        else:
            additive[name] = value


def _district_flows(total: Document, count: int) -> dict[str, list[int]]:
    """Per interval over the district: flows, shared energy within zones, X and Y (I1)."""
    zero = [0] * count
    flows = {name: list(values) for name, values in total["flows"].items()}
    for name in ("I", "E", "shared", "shared_min"):
        flows[name] = list(zero)
    for zone in total["zones"].values():
        drawn, given = zone["I"], zone["E"]
        sure_in = _minus(drawn, zone.get("GI", zero))
        sure_out = _minus(given, zone.get("GE", zero))
        _into(flows["I"], drawn)
        _into(flows["E"], given)
        _into(flows["shared"], [min(i, e) for i, e in zip(drawn, given, strict=True)])
        _into(flows["shared_min"], [min(i, e) for i, e in zip(sure_in, sure_out, strict=True)])
        bridged = _plus_all(zone.get("GI", zero), zone.get("GE", zero))
        flows["bridged"] = _plus_all(flows.get("bridged", zero), bridged)
    flows["X"] = _minus(flows["I"], flows["shared"])
    flows["Y"] = _minus(flows["E"], flows["shared"])
    return flows


def _into(sums: list[int], values: Sequence[int]) -> None:
    for at, value in enumerate(values):
        sums[at] += value


def _plus_all(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(first, second, strict=True)]


def _minus(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [a - b for a, b in zip(first, second, strict=True)]


def hourly(
    flows: Mapping[str, Sequence[int]], day: Day, grain: int, mean: tuple[int, int]
) -> tuple[dict[str, int], list[int]]:
    """(additive hourly numbers, the day's maxima) of the net position (I5, I6)."""
    per_hour = HOUR // grain
    hours = range(0, len(flows["C"]), per_hour)
    demand, drawn, given = (
        [sum(flows[name][at : at + per_hour]) for at in hours] for name in ("C", "X", "Y")
    )
    whole, count = mean[0] + sum(demand), mean[1] + len(demand)
    additive = {"hours": len(demand), "hours_counted": 0, "hmr": 0, "s1": 0, "s2": 0}
    maxima = [0, 0, 0, 0, 0]
    for c, x, y in zip(demand, drawn, given, strict=True):
        net = y - x
        additive["s1"] += net
        additive["s2"] += net * net
        if c > 0:
            additive["hours_counted"] += 1
            additive["hmr"] += x * PPM // c
        ratios = (
            (y * PPM // c, x * PPM // c)
            if c * _LOW_HOURS_SHARE * count >= whole > 0 and c
            else (0, 0)
        )
        found = [ratios[0], y, ratios[1], x, abs(net)]
        maxima = [max(a, b) for a, b in zip(maxima, found, strict=True)]
    return additive, maxima


def _carbon(
    flows: Mapping[str, Sequence[int]],
    total: Document,
    day: Day,
    grain: int,
    reference: Document,
    intensity: Intensity,
    calorific: int | None,
) -> dict[str, int | None]:
    """Avoided CO2 in its additive parts and the GHG balance with its worst case, ug (I8, I9)."""
    series = intensity.series(day["start"], day["end"], grain)
    zero = [0] * len(series)
    pump = weighted(total["profiles"].get("HP", zero), series)
    charging = weighted(total["profiles"].get("EV", zero), series)
    detail = total["detail"]
    heat = sum(detail.get(name, 0) for name in ("HP.Q", "HEAT_GEN.Q", "HEAT_IN.Q"))
    # Heat of a network avoids a boiler and has an emission of its own, as a pump's electricity has.
    spent = plus(pump, factor_tables.times(detail.get("HEAT_IN.Q", 0), _NETWORK_HEAT, reference))
    net = weighted(_minus(flows["I"], flows["E"]), series)
    driven = factor_tables.times(detail.get("MOB.declared", 0), "km_ug_per_m", reference)
    net_and_driven = plus(net, driven)
    ghg = plus(net_and_driven, factor_tables.other_carriers_ghg(detail, reference))
    hidden = plus(total["bounds"]["gap_ghg"], total["bounds"]["draw_ghg"])
    unseen = factor_tables.other_carriers_ghg(with_unseen(total, calorific), reference)
    worst = plus(net_and_driven, unseen)
    return {
        "co2_electricity": weighted(_minus(flows["C"], flows["X"]), series),
        "co2_heat": factor_tables.avoided_heat(heat, spent, reference),
        "co2_mobility": factor_tables.avoided_mobility(detail.get("MOB.m", 0), charging, reference),
        "co2_export_credit": weighted(flows["Y"], series),
        "ghg": ghg,
        "ghg_worst": plus(worst, hidden),
    }


def _primary(
    additive: Mapping[str, int],
    total: Document,
    factors: Document,
    k_exp: int,
    calorific: int | None,
) -> tuple[dict[str, int | None], Document]:
    """Primary energy across the boundary (I7), its worst case under V2, and the day's edges.

    Sharing is known from below by what was measured on both sides; where drawing weighs less
    than giving (unusual), sharing more is the worse case and is bounded from above.
    """
    electricity = factors["primary"].get("electricity")
    edges = {
        side: {"wh": total["bounds"][side][0] + total["bounds"][side][1],
               "ghg": total["bounds"][side][2], "nren": None}
        for side in ("start", "end")
    }  # fmt: skip
    if electricity is None:
        return dict.fromkeys([*(f"primary_{part}" for part in _PARTS), "nren_worst"]), edges
    made = additive["G"]
    found = factor_tables.boundary_balance(electricity, additive["X"], additive["Y"], made, k_exp)
    others = _other_carriers(total["detail"], factors, k_exp, calorific)
    unseen = _other_carriers(with_unseen(total, calorific), factors, k_exp, calorific)
    numbers: dict[str, int | None] = {
        f"primary_{part}": plus(value, None if others is None else others[at])
        for at, (part, value) in enumerate(zip(_PARTS, found, strict=True))
    }
    weight_in = electricity["grid"][NON_RENEWABLE]
    weight_out = factor_tables.export_weight(electricity, k_exp, NON_RENEWABLE)
    most = min(additive["shared_min"] + additive["bridged"], min(additive["I"], additive["E"]))
    lower = additive["shared_min"] if weight_in >= weight_out else max(most, additive["shared"])
    worse = (additive["shared"] - lower) * (weight_in - weight_out)
    missing = additive["draw"] * max(weight_in, weight_out)
    numbers["nren_worst"] = plus(
        found[NON_RENEWABLE] + worse + missing, None if unseen is None else unseen[NON_RENEWABLE]
    )
    for side, edge in edges.items():
        drawn, given, _ = total["bounds"][side]
        edge["nren"] = drawn * max(weight_in, weight_out) + given * weight_out
    return numbers, edges


def with_unseen(total: Document, calorific: int | None) -> dict[str, int]:
    """The detail sums with what silent heat and gas meters could have let in (V2)."""
    detail = dict(total["detail"])
    unseen = total["unseen"]
    if unseen.get("HEAT_IN"):
        detail["HEAT_IN.Q"] = detail.get("HEAT_IN.Q", 0) + unseen["HEAT_IN"]
    if unseen.get("GAS"):
        litres = unseen["GAS"] * 1_000 // max(1, calorific or 1) + 1
        detail["GAS.V"] = detail.get("GAS.V", 0) + litres
    return detail


def _other_carriers(
    detail: Mapping[str, int], factors: Document, k_exp: int, calorific: int | None
) -> tuple[int, int, int] | None:
    """Heat networks and gas across the boundary; None if one has no weights."""
    litres = detail.get("GAS.V", 0)
    if calorific is None and litres:
        return None
    amounts = {
        "heat": (detail.get("HEAT_IN.Q", 0), detail.get("HEAT_OUT.Q", 0)),
        "gas": (litres * (calorific or 0) // 1_000, 0),
    }
    sums = [0, 0, 0]
    for carrier, (drawn, given) in amounts.items():
        if drawn == given == 0:
            continue
        weights = factors["primary"].get(carrier)
        if weights is None:
            return None
        found = factor_tables.boundary_balance(weights, drawn, given, 0, k_exp)
        sums = [a + b for a, b in zip(sums, found, strict=True)]
    return sums[0], sums[1], sums[2]
