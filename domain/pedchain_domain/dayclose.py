# SPDX-License-Identifier: Apache-2.0
"""Closing a day shard by shard: merged folds to partial district sums (rules M, R, V2, C).

    partial/1 {schema, salt, shard, day, sites, battery_wh, unmetered_w,
               zones: {zone: {I, E, GI, GE: [Wh per interval]}},  GI, GE: the bridged parts
               flows: {G, C, Ch, D: [Wh per interval]}, residual: Wh, covered_site: Wh,
               profiles: {HP, EV: [Wh per interval]}, detail: {"kind.role": units},
               unseen: {kind: Wh} of silent heat and gas meters, connections_w: W,
               feeder: {points, I, E: Wh, missing: register-intervals} of the boundary's meters,
               contributions: {number: [sites, largest]}, coverage: [known, profile, required]
               register-seconds, classes: {M, G, S, X: register-intervals}, bounds,
               scope: {"heating.metered": sites, ...}, prints: {site: digest}, root: hex,
               findings: [[reason, point or site, instant]]}
    total/1   the same summed over shards, with `roots: {shard: hex}` and no prints
    draws/1   {schema, salt, shard, day, sites: {site: [Wh | null by clock index]}}
    intervals/1 {schema, salt, shard, day, points: {point: {seed, root, registers: {role: [[Wh],
               classes]}}}}

Sums are exact integers, so shards may be added in any order and steps of any size.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import bounds, leaves, limits, merkle, points
from pedchain_domain.calendar import Day
from pedchain_domain.documents import parameters
from pedchain_domain.factors import Intensity
from pedchain_domain.intervals import Series
from pedchain_domain.readings import derive_salt
from pedchain_domain.sums import Frame, Sums
from pedchain_domain.text import hex_bytes

Document = dict[str, Any]


class Closed(NamedTuple):
    """A shard's part of a day. If `needs_history` is set and none was given, a missing draw was
    bound by the connection's power: load draws/1 of the days before and close again."""

    partial: Document
    draws: Document
    intervals: Document
    needs_history: bool


def close_shard(
    day: Day,
    fold: Document | None,
    roster: Document,
    district: Document,
    factors: Document,
    *,
    before: Sequence[Document] = (),
    after: Sequence[Document] = (),
    history: Sequence[Document] = (),
) -> Closed:
    """Close a shard's day.

    `fold` is the day's merged fold/1 or None if nothing was filed; `before` and `after` are
    edges/1 of neighbouring days, nearest first (`points.needs` says when they matter); `history`
    are draws/1 of up to 28 days before.
    """
    grain: int = district["grain"]
    frame = Frame(
        day,
        grain,
        (day["end"] - day["start"]) // grain,
        intensity := Intensity(factors),
        intensity.series(day["start"], day["end"], grain),
        history[: limits.HISTORY_DAYS],
        parameters(district).bound_by_capacity == 1,
    )
    series = points.of_shard(day, fold, roster, grain, before, after)
    anchors = [edges["salt"] for edges in (*before, *after)]
    tree = _tree(series, fold, roster, frame, anchors)
    salt = derive_salt("close", [day["day"], *[tree[point]["seed"] for point in tree]])
    partial, draws = _sites(series, roster, frame)
    partial |= {
        "salt": derive_salt("partial", [salt]),
        "shard": roster["shard"],
        "root": leaves.nested_root([hex_bytes(tree[point]["root"]) for point in tree]).hex(),
    }
    common = {"shard": roster["shard"], "day": day["day"]}
    return Closed(
        partial,
        {"schema": "draws/1", "salt": derive_salt("draws", [salt]), **common, "sites": draws},
        {"schema": "intervals/1", "salt": salt, **common, "points": tree},
        partial["bounds"]["draw"] > 0 and not frame.by_capacity,
    )


def add(total: Document | None, partial: Document) -> Document:
    """The total with one more shard. The first shard gives the day its shape."""
    if total is None:
        kept = {name: partial[name] for name in partial if name not in ("shard", "root", "prints")}
        return {**kept, "schema": "total/1", "roots": {str(partial["shard"]): partial["root"]}}
    both = {name: _plus(total[name], partial[name]) for name in _ADDED}
    return {
        **total,
        **both,
        "salt": derive_salt("total", [total["salt"], partial["salt"]]),
        "contributions": _contributions(total["contributions"], partial["contributions"]),
        "bounds": bounds.add(total["bounds"], partial["bounds"]),
        "findings": [*total["findings"], *partial["findings"]][: limits.FINDINGS],
        "roots": {**total["roots"], str(partial["shard"]): partial["root"]},
    }


def changed(former: Document | None, partial: Document) -> int:
    """Sites whose day differs from a former run's partial of the shard (rules C3)."""
    before = {} if former is None else former["prints"]
    now = partial["prints"]
    names = dict.fromkeys([*before, *now])
    return sum(1 for site in names if before.get(site) != now.get(site))


def district_root(total: Document) -> str:
    """The root over the shards' roots, by shard number."""
    shards = sorted(total["roots"], key=int)
    return leaves.nested_root([hex_bytes(total["roots"][shard]) for shard in shards]).hex()


_ADDED = (
    "sites", "battery_wh", "unmetered_w", "connections_w", "zones", "flows", "residual",
    "covered_site", "profiles", "detail", "unseen", "coverage", "classes", "scope", "feeder",
)  # fmt: skip


def _plus(first: Any, second: Any) -> Any:
    """Sum of two like structures: integers, lists by position, objects by key."""
    if isinstance(first, int):
        return first + second
    if isinstance(first, list):
        return [a + b for a, b in zip(first, second, strict=True)]
    merged = dict(first)
    for name, value in second.items():
        merged[name] = _plus(merged[name], value) if name in merged else value
    return merged


def _contributions(first: Document, second: Document) -> Document:
    merged = dict(first)
    for name, (sites, largest) in second.items():
        before, most = merged.get(name, [0, 0])
        merged[name] = [before + sites, max(most, largest)]
    return merged


def _tree(
    series: Mapping[str, Mapping[str, Series]],
    fold: Document | None,
    roster: Document,
    frame: Frame,
    anchors: Sequence[str],
) -> dict[str, Document]:
    """Seed, root and registers of each point. A point without a record of the day is bridged by
    what lies beside it, so the anchors' salts stand in for its marks: its leaves are no guess."""
    seeds: dict[str, list[str]] = {}
    for device, seed in sorted(({} if fold is None else fold["seeds"]).items()):
        known = roster["devices"].get(device)
        if known is not None:
            seeds.setdefault(known["point"], []).append(seed)
    tree = {}
    for point, roles in series.items():
        secrets = seeds.get(point, anchors)
        seed = derive_salt("point", [point, frame.day["day"], *secrets])
        hashes = leaves.interval_leaves(point, seed, frame.day["start"], frame.grain, roles)
        tree[point] = {
            "seed": seed,
            "root": merkle.root(hashes).hex(),
            "registers": {role: [one.values, one.classes] for role, one in sorted(roles.items())},
        }
    return tree


def _sites(
    series: Mapping[str, Mapping[str, Series]], roster: Document, frame: Frame
) -> tuple[Document, Document]:
    of_site: dict[str, list[str]] = {}
    for point in series:
        of_site.setdefault(roster["points"][point]["site"], []).append(point)
    sums = Sums(frame)
    draws = {}
    for site in sorted(roster["sites"]):
        about = roster["sites"][site]
        until = about.get("to")
        if about["from"] >= frame.day["end"] or (until and until <= frame.day["start"]):
            continue
        found = {point: series[point] for point in of_site.get(site, [])}
        draws[site] = sums.site(about, found, roster["points"])
    return sums.document(), draws
