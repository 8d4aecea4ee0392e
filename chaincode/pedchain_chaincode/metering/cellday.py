# SPDX-License-Identifier: Apache-2.0
"""Closing one cell's day: its folds merged, with as much of the neighbouring days as it needs."""

from typing import NamedTuple

from pedchain_chaincode import limits
from pedchain_chaincode.documents import Document
from pedchain_chaincode.metering.devicekeys import registers_of
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import dayclose, points, proofs
from pedchain_domain import fold as folds
from pedchain_domain import roster as rosters
from pedchain_domain.calendar import Day, shifted
from pedchain_domain.instants import DAY
from pedchain_domain.limits import BRIDGE_DAYS, HISTORY_DAYS


class CellDay(NamedTuple):
    """A closed cell: its partial sums, how many sites differ from the former run, its cost."""

    partial: Document
    changed: int
    cost: int


class Rules(NamedTuple):
    """What all cells of a day are closed by."""

    day: Day
    district: Document
    factors: Document
    run: str
    through: int


async def close_cell(vault: Vault, roster: Document, rules: Rules, printed: str | None) -> CellDay:
    """Close a cell and keep its intervals, draws and prints; `printed` is the run in print."""
    cell, day = int(roster["shard"]), rules.day["day"]
    roster = rosters.on(await _exchanged(vault, roster, rules.day), day)
    fold = await _fold(vault, roster, rules)
    before, after = await _neighbours(vault, fold, roster, rules)
    closed = _close(fold, roster, rules, before, after, [])
    cost = _values(roster, rules)
    if closed.needs_history:
        days = [shifted(day, -back) for back in range(1, HISTORY_DAYS + 1)]
        history = await vault.load_many([("draws", cell, name) for name in days])
        closed = _close(fold, roster, rules, before, after, [h for h in history if h is not None])
        cost += cost
    former = await vault.load("prints", cell, day, printed) if printed else None
    changed = dayclose.changed(former, closed.partial)
    if printed:
        await _keep_printed(vault, cell, day, closed.intervals)
    await vault.save(("intervals", cell, day), {**closed.intervals, "run": rules.run})
    await vault.save(("draws", cell, day), closed.draws)
    prints = {"salt": closed.partial["salt"], "prints": closed.partial["prints"]}
    await vault.save(("prints", cell, day, rules.run), prints)
    return CellDay(closed.partial, changed, cost)


async def _exchanged(vault: Vault, roster: Document, day: Day) -> Document:
    """The roster with what meters read at exchanges as near as a bridge can reach; those erased or
    purged since stay unknown, and what only they would bridge is missing."""
    reach = (BRIDGE_DAYS + 1) * DAY
    near = [
        one["old"]
        for one in roster["exchanges"]
        if day["start"] - reach <= one["at"] <= day["end"] + reach
    ]
    return rosters.exchanged(roster, await registers_of(vault, near)) if near else roster


async def _keep_printed(vault: Vault, cell: int, day: str, intervals: Document) -> None:
    """Move a cell's intervals aside before a later run that changes them: if that run is held back
    (C3), it is these that the certificate's root stands for."""
    standing = await vault.load("intervals", cell, day)
    if standing is not None and proofs.cell_root(standing) != proofs.cell_root(intervals):
        await vault.save(("intervals", cell, day, standing["run"]), standing)


def _close(
    fold: Document | None,
    roster: Document,
    rules: Rules,
    before: list[Document],
    after: list[Document],
    history: list[Document],
) -> dayclose.Closed:
    return dayclose.close_shard(
        rules.day,
        fold,
        roster,
        rules.district,
        rules.factors,
        before=before,
        after=after,
        history=history,
    )


def _values(roster: Document, rules: Rules) -> int:
    """Register values a cell's day has, measured or missing: what closing it costs. A day of
    which little is known costs no less, since every interval of it is bridged or bounded."""
    registers = sum(len(device["registers"]) for device in roster["devices"].values())
    boundaries = (rules.day["end"] - rules.day["start"]) // int(rules.district["grain"]) + 1
    return registers * boundaries


async def _fold(vault: Vault, roster: Document, rules: Rules) -> Document | None:
    """All that was filed for the day in periods up to `through`, merged."""
    cell, day = int(roster["shard"]), rules.day["day"]
    index = await vault.load("day", cell, day)
    periods = [p for p in index["periods"] if p <= rules.through] if index else []
    held = await vault.load_held([("fold", cell, day, period) for period in periods])
    return rosters.without_doubtful(folds.merge(held), roster) if held else None


async def _neighbours(
    vault: Vault, fold: Document | None, roster: Document, rules: Rules
) -> tuple[list[Document], list[Document]]:
    """Edges of the days before and after, nearest first, as far as the day needs them."""
    before: list[Document] = []
    after: list[Document] = []
    grain = rules.district["grain"]
    for start in range(1, BRIDGE_DAYS + 1, limits.EDGES_TOGETHER):
        distances = range(start, min(start + limits.EDGES_TOGETHER, BRIDGE_DAYS + 1))
        needs = points.needs(rules.day, fold, roster, grain, before, after)
        if not needs.before and not needs.after:
            break
        if needs.before:
            before += await _edges(vault, roster, rules, [-d for d in distances])
        if needs.after:
            after += await _edges(vault, roster, rules, list(distances))
    return before, after


async def _edges(
    vault: Vault, roster: Document, rules: Rules, distances: list[int]
) -> list[Document]:
    """Edges of days at these distances. A compromised device has none: an edge of it could lie
    beyond the instant from which it is in doubt."""
    cell = int(roster["shard"])
    names = [("day", cell, shifted(rules.day["day"], distance)) for distance in distances]
    compromised = roster.get("compromised", {})
    found = []
    for index in await vault.load_many(names):
        if index is None:
            continue
        series = {d: r for d, r in index["edges"]["series"].items() if d not in compromised}
        found.append({**index["edges"], "series": series})
    return found
