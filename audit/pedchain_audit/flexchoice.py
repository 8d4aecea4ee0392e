# SPDX-License-Identifier: Apache-2.0
"""Step 10, at notice: who can be asked, by which days, how good such baselines were, and who is
asked for what (rules D2 to D7, D15), cell by cell as the contract went."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pedchain_audit import flexown
from pedchain_audit.errors import Broken
from pedchain_audit.flexrules import DAY, HOUR, MILLION, Event, accuracy, means, parted
from pedchain_audit.flexstore import Store
from pedchain_domain import canonical, lifecycle, merkle
from pedchain_domain.calendar import shifted

Document = dict[str, Any]
Like = list[tuple[Document, dict[int, int]]]
Placebo = tuple[Document, dict[int, int], list[int]]
REACH, BACK, REMEMBERED, PLACEBOS = 45, 65, 60 * DAY, 12


class FlexibilityError(Broken):
    """Demand response that does not follow from what it rests on."""

    check = "flexibility"


def same(made: object, found: object, what: str) -> None:
    """Raises `FlexibilityError` unless both are the same."""
    if made != found:
        raise FlexibilityError(f"{what}: another follows from what it rests on")


@dataclass(slots=True)
class Choice:
    """An order's freezing in one district, as far as it has come; `busy` is the district's:
    {site: [[order, day, start, end, Wh]]}."""

    event: Event
    notice_day: str
    power_w: int
    period: int
    busy: dict[str, list[list[Any]]]
    after: int = 0
    able: dict[str, list[Any]] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    days: dict[str, list[str]] = field(default_factory=dict)
    placebo: dict[str, list[list[int]]] = field(default_factory=dict)
    leaves: dict[str, bytes] = field(default_factory=dict)
    schedules: dict[str, list[int]] = field(default_factory=dict)
    storage: dict[str, str] = field(default_factory=dict)
    plan: Document = field(default_factory=dict)

    def cell(self, store: Store, cell: int, frozen: Document | None, roster: Document) -> None:
        """One cell with its roster; `frozen` is what the contract wrote for it. Raises
        `FlexibilityError`."""
        sites = (store.get("enrolled", cell) or {"sites": {}})["sites"]
        guarded = (store.get("protected") or {"sites": []})["sites"]
        found: dict[str, Document] = {}
        shared = self._shared(store, cell) if sites else []
        away = (store.get("absent", cell) or {"sites": {}})["sites"]
        for site in sorted(sites):
            entry = self._entry(sites[site])
            if entry is None:
                continue
            offer, absent = entry["enrolment"], away.get(site, [])
            why = (
                "protected"
                if site in guarded
                else _unusable(roster["devices"].get(offer["device"]))
            )
            why = why or self._passed(offer, site)
            if why is None and _is_absent(absent, self.event.clock.row["day"]):
                why = "absent"
            why = why or self._unplanned(store, site, shared)
            days = None if why else self._days(store, shared, site, entry, absent)
            if why or days is None:
                self.passed[site] = why or "too-few-days"
                continue
            found[site] = {"days": days}
            if site in self.schedules:
                found[site]["schedule"] = self.schedules[site]
            grid = flexown.storage(roster, site)
            self.storage |= {} if grid is None else {site: grid}
            asked = sum(row[4] for row in self.busy.get(site, []))
            able = [self._capacity(offer), offer["available"], cell, asked]
            self.able[site] = [*able, offer["device"], offer["account"]]
        written = {} if frozen is None else frozen["sites"]
        salts = {site: one["salt"] for site, one in written.items()}
        made = {site: {**one, "salt": salts.get(site)} for site, one in found.items()}
        same(made, written, "frozen days")
        self.days |= {site: one["days"] for site, one in found.items()}
        for site, one in written.items():
            leaf = canonical.encode({**found[site], "site": site})
            self.leaves[site] = hashlib.sha256(b"\0" + bytes.fromhex(one["salt"]) + leaf).digest()

    def _entry(self, entries: list[Document]) -> Document | None:
        """The consent to the order's provider that holds when the event begins."""
        for entry in entries:
            body = {**entry["enrolment"], "to": entry["to"]}
            ends = body["to"] is not None and body["to"] <= self.event.start
            is_theirs = body["provider"] == self.event.order["provider"]
            if is_theirs and body["from"] <= self.event.start and not ends:
                return {**entry, "enrolment": body}
        return None

    def _capacity(self, offer: Document) -> int:
        return int(offer["down_w"] if self.event.is_less else offer["up_w"])

    def _passed(self, offer: Document, site: str) -> str | None:
        start, end = self.event.start, self.event.end
        opens, closes = offer["from_hour"] * HOUR, offer["to_hour"] * HOUR
        inside = (start - opens) % DAY + end - start <= (closes - opens) % DAY
        if (offer["to"] is not None and offer["to"] < end) or not (opens == closes or inside):
            return "not-available"
        if self._capacity(offer) < 100:
            return "too-small"
        if offer["share_ppm"] > 800_000:
            return "share-not-met"
        rows = self.busy.get(site, [])
        return "overlaps" if any(row[2] < end and start < row[3] for row in rows) else None

    def _shared(self, store: Store, cell: int) -> list[Document]:
        """A cell's shared days before the notice, newest first."""
        days = [shifted(self.notice_day, -back) for back in range(1, BACK + 1)]
        found = [store.get("shared", cell, day) for day in days]
        return [one for one in found if one is not None]

    def _unplanned(self, store: Store, site: str, shared: list[Document]) -> str | None:
        """Why a site's schedule does not serve, if the order goes by schedules; else keeps it."""
        if self.event.order["rule"] != flexown.DECLARED:
            return None
        busy = self.busy.get(site, [])
        why = flexown.unplanned(self.event, store, site, self.notice_day, self.period, shared, busy)
        told = flexown.schedule_of(store, site, self.event.clock.row["day"])
        if why is None and told is not None:
            self.schedules[site] = list(told["values"])
        return why

    def _days(
        self,
        store: Store,
        shared_days: list[Document],
        site: str,
        entry: Document,
        absent: list[list[str]],
    ) -> list[str] | None:
        """A site's days, newest first, and its part of the placebo sums; None for too few."""
        ordered = [row[1] for row in self.busy.get(site, [])]
        like = []
        for shared in shared_days:
            figure, row = shared["sites"].get(site), shared["day"]
            if figure is None:
                continue
            past = self.event.past(shared, figure)
            is_theirs = _covers(entry, row) and not _is_absent(absent, row["day"])
            if is_theirs and self.event.is_like(shared, past, ordered):
                like.append((row, past))
        oldest = shifted(self.notice_day, -REACH)
        pool = [row["day"] for row, _ in like if row["day"] >= oldest][: self.event.most]
        if len(pool) < self.event.least:
            return None
        for row, measured, base in islice(self._placebos(store, site, like), PLACEBOS):
            sums = self.placebo.setdefault(row["day"], [[0, 0] for _ in base])
            for each, b, place in zip(sums, base, self.event.event, strict=True):
                each[0] += b
                each[1] += measured[place]
        return pool

    def _placebos(self, store: Store, site: str, like: Like) -> Iterator[Placebo]:
        """Like days, newest first, with the baseline that each would have had."""
        event = self.event
        for at, (row, past) in enumerate(like, 1):
            oldest = shifted(row["day"], -REACH)
            before = [one for other, one in like[at:] if other["day"] >= oldest][: event.most]
            if event.is_own:
                told = flexown.schedule_of(store, site, row["day"])
                values = None if told is None else told["values"]
                base = flexown.base(event, row, past, values, event.event)
            else:
                is_made = len(before) >= event.least
                base = means(event.counted(before), event.event) if is_made else None
            if base is not None:
                yield row, past, base

    def finish(self, plan: Document, part: Document) -> None:
        """The plan, and what the order says in public. Raises `FlexibilityError`."""
        self.plan = {
            "period": self.period,
            "watts": self._watts(),
            "passed": self.passed,
        }
        for name, at in (("cells", 2), ("devices", 4), ("accounts", 5)):
            self.plan[name] = {site: self.able[site][at] for site in self.plan["watts"]}
        for name, made in self.plan.items():
            same(made, plan[name], f"an order's {name}")
        newest = sorted(self.placebo, reverse=True)[:10]
        pairs = [[(b, m) for b, m in self.placebo[day]] for day in newest]
        interval = self.power_w * self.event.order["grain"] // HOUR
        root = merkle.root([self.leaves[site] for site in sorted(self.leaves, key=str.encode)])
        found = accuracy(pairs, interval)
        told = {"root": root.hex(), "sites": len(self.plan["watts"]), "accuracy": found}
        same(told, {name: part[name] for name in told}, "what an order says of its portfolio")
        if found["doubts"] and not self.event.order["low_accuracy"]:
            raise FlexibilityError("an order went on with a baseline that is too weak for it")
        self._remember()

    def _watts(self) -> dict[str, int]:
        """As many as the power takes, least asked first."""

        def burden(site: str) -> tuple[int, str]:
            capacity, _, _, asked, _, _ = self.able[site]
            return asked * MILLION // capacity, site

        usable: dict[str, int] = {}
        for site in sorted(self.able, key=burden):
            if sum(usable.values()) >= self.power_w:
                break
            watts = self.able[site][0] * self.able[site][1] // MILLION
            if watts:
                usable[site] = watts
        return parted(self.power_w, usable)

    def _remember(self) -> None:
        order, row = self.event.order, self.event.clock.row
        for rows in self.busy.values():
            rows[:] = [one for one in rows if one[3] + REMEMBERED > order["start"]]
        for site, wh in self.energies().items():
            asked = [order["id"], row["day"], self.event.start, self.event.end]
            self.busy.setdefault(site, []).append([*asked, wh * order["count"]])

    def energies(self) -> dict[str, int]:
        """Each asked site's Wh of an interval."""
        wh = self.power_w * self.event.order["grain"] // HOUR
        return parted(wh, self.plan["watts"])


def _covers(entry: Document, row: Document) -> bool:
    """Whether a consent reaches to a day: its own, or earlier ones of the same occupants."""
    offer, since = entry["enrolment"], entry["occupancy"]
    begun = offer["history"] or offer["from"] <= row["start"]
    theirs = since is None or since <= row["start"]
    return bool(begun and theirs and (entry["to"] is None or row["end"] <= entry["to"]))


def _is_absent(absent: list[list[str]], day: str) -> bool:
    return any(first <= day <= last for first, last in absent)


def _unusable(device: Document | None) -> str | None:
    """Why a site's device can sign nothing now."""
    if device is None:
        return "unknown-device"
    state = lifecycle.state_of(device)
    if state == lifecycle.SUSPENDED:
        return "suspended"
    return None if state == lifecycle.ACTIVE else "revoked-key"
