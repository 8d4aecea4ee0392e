# SPDX-License-Identifier: Apache-2.0
"""Baselines of the event's own day, a second time: the hours beside it, a schedule declared ahead,
and what a storage sold to peers (rules D4, D6)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pedchain_audit.errors import Broken
from pedchain_audit.flexrules import HOUR, Clock, Document, Event
from pedchain_audit.flexstore import Store, Written
from pedchain_audit.registry import decode
from pedchain_audit.settlement import NAMESPACE, Settlement
from pedchain_audit.world import World
from pedchain_domain import calendar as calendars
from pedchain_domain.calendar import shifted
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.wire import compositekey

METER, DECLARED = "mbma", "declared"
NOTICE_S, DOUBT_DAYS = 900, 30


class OwnDayError(Broken):
    """A baseline of the own day that rests on nothing."""

    check = "flexibility"


def noticed(event: Event) -> None:
    """Raises `OwnDayError` for hours beside an event that was known of before."""
    if event.order["rule"] == METER and event.start - event.notice > NOTICE_S:
        raise OwnDayError("an order was known of before the hour its baseline is made of")


def base(
    event: Event,
    row: Document,
    past: Mapping[int, int],
    schedule: Sequence[int] | None,
    places: Sequence[int],
) -> list[int] | None:
    """The baseline of a day `row` at places of the clock, Wh; None where there is none. `past` is
    what was measured of the day, `schedule` what was declared of it."""
    if event.order["rule"] == DECLARED:
        index = Clock(row, event.clock.grain).index
        known = schedule is not None and all(at in index for at in places)
        return [schedule[index[at]] for at in places] if schedule is not None and known else None
    whole = HOUR // event.clock.grain
    hours = [
        sum(past[at] for at in hour) // whole
        for hour in _beside(event)
        if len(hour) == whole and all(at in past for at in hour)
    ]
    if not hours:
        return None
    return [min(hours) if event.is_less else max(hours)] * len(places)


def _beside(event: Event) -> list[list[int]]:
    """The last full hour before notice or start, and the first that begins an hour after the end,
    as far as they lie in the event's day."""
    row, grain = event.clock.row, event.clock.grain
    before = (min(event.notice, event.start) // HOUR - 1) * HOUR
    after = -(-(event.end + HOUR) // HOUR) * HOUR
    return [
        [
            event.clock.place(at)
            for at in range(max(hour, row["start"]), min(hour + HOUR, row["end"]), grain)
        ]
        for hour in (before, after)
    ]


def schedule_of(store: Store, site: str, day: str) -> Document | None:
    """What a site declared of a day: {values, at, period}."""
    found = store.get("schedule", site, day[:7])
    return None if found is None else found["days"].get(day)


def unplanned(
    event: Event,
    store: Store,
    site: str,
    notice_day: str,
    period: int,
    shared: Iterable[Document],
    busy: Sequence[Sequence[Any]],
) -> str | None:
    """Why a site's schedule of the event's day is not its baseline."""
    told = schedule_of(store, site, event.clock.row["day"])
    if told is None or told["at"] >= event.notice or told["period"] >= period:
        return "no-schedule"
    ended = shifted(f"{notice_day[:7]}-01", -1)
    if shifted(ended, DOUBT_DAYS) < notice_day:
        return None
    missed = used = 0
    for one in shared:
        row, figure = one["day"], one["sites"].get(site)
        said = schedule_of(store, site, row["day"])
        if row["day"][:7] != ended[:7] or figure is None or said is None:
            continue
        for at, (planned, wh) in enumerate(zip(said["values"], figure["f"], strict=True)):
            instant = row["start"] + at * event.clock.grain
            is_ordered = any(since <= instant < until for _, _, since, until, _ in busy)
            if figure["c"][at] == "M" and not is_ordered:
                missed += abs(planned - wh)
                used += wh
    return "schedules-missed" if missed * 5 > used else None


def declares(written: Written) -> bool:
    """Whether a transaction writes schedules."""
    return any(kept is not None and kept.document.keys() == {"days"} for kept in written.values())


def declared(
    store: Store, written: Written, at: int, period: int, rows: Sequence[calendars.Day]
) -> None:
    """Schedules that a transaction of this time and filing period writes: each once, and before the
    day it speaks of. Raises `OwnDayError`."""
    for tag, kept in written.items():
        if kept is None or kept.document.keys() != {"days"}:
            continue
        days, held = kept.document["days"], store.held.get(tag)
        before = {} if held is None else held.document["days"]
        if any(days.get(day) != told for day, told in before.items()):
            raise OwnDayError("a schedule was declared twice")
        for day in days.keys() - before.keys():
            told, row = days[day], calendars.find(rows, day)
            if (told["at"], told["period"]) != (at, period) or at >= row["start"]:
                raise OwnDayError(f"a schedule of {day} that was not declared ahead")


def storage(roster: Document, site: str) -> str | None:
    """Where a site with a battery, a hybrid plant or a car that gives back feeds in."""
    points = {name: one["kind"] for name, one in roster["points"].items() if one["site"] == site}
    stores = {name for name, kind in points.items() if kind in ("STO", "HYB")}
    stores |= {
        one["point"]
        for one in roster["devices"].values()
        if points.get(one["point"]) == "EVSE"
        and "D" in {register["role"] for register in one["registers"].values()}
    }
    grid = sorted(name for name, kind in points.items() if kind == "GCP")
    return grid[0] if stores else None


def sold(
    settlement: Settlement, world: World, event: Event, district: str, point: str
) -> dict[int, int]:
    """Wh sold to peers through a point in the hours of an event, as the audit settled them. Raises
    `OwnDayError` while an hour is not settled."""
    register = settlement.book.named("register", district, point, "E")
    account = None if register is None else settlement.book.named("account", register["account"])
    place = None if account is None else account["places"].get(str(Carrier.ELECTRICITY))
    found: dict[int, int] = {}
    if account is None or place is None:
        return found
    for hour in range(event.start // HOUR * HOUR, event.end, HOUR):
        name = session_id(Carrier.ELECTRICITY, place["zone"], hour)
        value = world.value(NAMESPACE, compositekey.create("session", [name]))
        if value is None:
            continue
        if decode(value)["state"] not in ("SETTLED", "VOID"):
            raise OwnDayError("a storage was measured before the market had settled")
        found[hour] = settlement.due.get(name, {}).get(account["id"], {}).get("sold", 0)
    return found


def lowered(event: Event, wh: Mapping[int, int]) -> list[int]:
    """What was sold by interval of the event: an hour's Wh evenly, the first get what is left."""
    row, grain = event.clock.row, event.clock.grain
    found = []
    for place in event.event:
        hour, since = divmod(row["start"] + event.clock.index[place] * grain, HOUR)
        each, left = divmod(wh.get(hour * HOUR, 0), HOUR // grain)
        found.append(each + (since // grain < left))
    return found
