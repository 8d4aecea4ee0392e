# SPDX-License-Identifier: Apache-2.0
"""Which of a cell's sites an order can ask, and the days or schedule of each (rules D3 to D7)."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple

from pedchain_chaincode.documents import Document, load
from pedchain_chaincode.flexibility import consent, declaring, signing
from pedchain_chaincode.flexibility.declaring import Schedules
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.flexibility.wanted import Wanted
from pedchain_chaincode.metering import keys
from pedchain_domain import terms
from pedchain_domain.calendar import Day, shifted
from pedchain_domain.flexibility import enrolment, history, ownday
from pedchain_domain.flexibility import order as orders
from pedchain_domain.flexibility.baseline import Source
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.remuneration import POOL_PPM
from pedchain_domain.intervals import MEASURED
from pedchain_domain.reasons import DomainError, Reason
from pedchain_fabric.shim import Context, Refusal

NOT_ENROLLED, NOT_AVAILABLE, TOO_SMALL = "not-enrolled", "not-available", "too-small"
SHARE_NOT_MET, ABSENT = "share-not-met", "absent"
NO_SCHEDULE, NOT_BELIEVED = "no-schedule", "schedules-missed"
_STORAGE = ("STO", "HYB")
_EVENT = "event"


class District(NamedTuple):
    """What is known of all sites: what they were asked for {site: [[order, day, start, end, Wh]]},
    and who is protected."""

    busy: dict[str, list[list[Any]]]
    guarded: Sequence[str]


class Chosen(NamedTuple):
    """A site that can be asked: its enrolment, its days, or its schedule of the order's day; what
    its baseline would have been on days without orders; where it feeds in if it has a storage."""

    enrolment: Document
    days: list[str]
    schedule: list[int] | None
    placebo: dict[str, list[tuple[int, int]]]
    storage: str | None


class _Site(NamedTuple):
    """What is known of one site: its consent, its shared days, what it was asked for, said, and
    declared."""

    name: str
    entry: Document
    asked: list[list[Any]]
    absences: list[list[str]]
    shared: list[Document]
    schedules: Schedules


async def cell(
    ctx: Context, store: Store, want: Wanted, number: int, period: int, district: District
) -> dict[str, Chosen | str]:
    """A cell's enrolled sites: chosen, or why they are not; ascending."""
    enrolled = await consent.enrolled(store, number)
    away = await declaring.absences(store, number)
    roster = await load(ctx.stub, keys.roster(ctx.stub, number)) if enrolled else None
    found: dict[str, Chosen | str] = {}
    fitting: dict[str, Document] = {}
    for site in sorted(enrolled):
        entry = _enrolment(want, enrolled[site])
        if entry is None or roster is None:
            continue
        why = _passed(want, entry["enrolment"], district, roster)
        if why is None and declaring.is_absent(away.get(site, []), want.framed.day["day"]):
            why = ABSENT
        if why is None:
            fitting[site] = entry
        else:
            found[site] = why
    if not fitting or roster is None:
        return found
    shared = await _history(store, want, number)
    declared = await _declared(store, want, list(fitting), shared)
    for site, entry in fitting.items():
        asked = district.busy.get(site, [])
        known = _Site(site, entry, asked, away.get(site, []), shared, declared[site])
        chosen = _chosen(want, known, period)
        if not isinstance(chosen, str):
            chosen = chosen._replace(storage=_storage(roster, site))
        found[site] = chosen
    return found


def _enrolment(want: Wanted, entries: list[Document]) -> Document | None:
    """The consent to the order's provider that holds during it."""
    for one in entries:
        body = {**one["enrolment"], "to": one["to"]}
        if body["provider"] == want.order["provider"] and terms.holds(body, want.order["start"]):
            return {**one, "enrolment": body}
    return None


def _passed(want: Wanted, body: Document, district: District, roster: Document) -> str | None:
    """Why a site is not asked, whatever its days are."""
    start, end = want.order["start"], orders.end(want.order)
    if body["site"] in district.guarded:
        return str(Reason.PROTECTED)
    device = roster["devices"].get(body["device"])
    unusable = signing.unusable(None if device is None else {"document": device})
    if unusable is not None:
        return str(unusable)
    if not enrolment.is_available(body, start, end):
        return NOT_AVAILABLE
    if want.capacity(body) < orders.LEAST_SITE_W:
        return TOO_SMALL
    if body["share_ppm"] > POOL_PPM:
        return SHARE_NOT_MET
    if any(row[2] < end and start < row[3] for row in district.busy.get(body["site"], [])):
        return str(Reason.OVERLAPS)
    return None


async def _history(store: Store, want: Wanted, number: int) -> list[Document]:
    """A cell's shared days before the notice, newest first."""
    days = [shifted(want.notice_day, -back) for back in range(1, history.DAYS_BACK + 1)]
    found = await store.load_many([("shared", number, day) for day in days])
    return [one for one in found if one is not None]


async def _declared(
    store: Store, want: Wanted, sites: list[str], shared: list[Document]
) -> dict[str, Schedules]:
    """Sites' schedules, where the order goes by them."""
    if want.rule.source is not Source.SCHEDULE:
        return {site: {} for site in sites}
    days = [want.framed.day["day"], *(one["day"]["day"] for one in shared)]
    return await declaring.schedules(store, sites, days)


def _chosen(want: Wanted, site: _Site, period: int) -> Chosen | str:
    """A site's frozen days or schedule, and its placebo days; or why it has none."""
    schedule = None
    if want.rule.source is Source.SCHEDULE:
        schedule = _schedule(want, site, period)
        if schedule is None:
            return NO_SCHEDULE
        if not _is_believed(want, site):
            return NOT_BELIEVED
    pasts = list(_pasts(want, site))
    days: list[str] = []
    if want.rule.source is Source.LIKE_DAYS:
        try:
            found = history.chosen(want.rule, want.framed, want.notice_day, "", pasts)
        except DomainError:
            return str(Reason.TOO_FEW_DAYS)
        days = [one.day["day"] for one in found]
    values = {day: one["values"] for day, one in site.schedules.items()}
    own = history.own_bases(want.rule, want.direction, want.framed, pasts, values)
    placebo = history.placebos(want.rule, want.framed, want.notice_day, "", pasts, own)
    return Chosen(site.entry["enrolment"], days, schedule, placebo, None)


def _pasts(want: Wanted, site: _Site) -> Iterator[Past]:
    """The site's shared days that its consent covers: none of whoever lived there before."""
    ordered = [row[1] for row in site.asked]
    places, grain = want.framed.looked_at, want.framed.grain
    for one in site.shared:
        row: Day = one["day"]
        if site.name in one["sites"] and consent.covers(site.entry, row["start"], row["end"]):
            yield history.past(
                row,
                one["sites"][site.name],
                places,
                grain,
                ordered=row["day"] in ordered,
                absent=declaring.is_absent(site.absences, row["day"]),
            )


def _schedule(want: Wanted, site: _Site, period: int) -> list[int] | None:
    """The schedule of the order's day, if it came before the notice."""
    found = site.schedules.get(want.framed.day["day"])
    if found is None or found["at"] >= want.framed.notice or found["period"] >= period:
        return None
    return list(found["values"])


def _is_believed(want: Wanted, site: _Site) -> bool:
    """Whether the schedules of the month that counts came true on intervals without events."""
    month, grain = ownday.judged_month(want.notice_day), want.framed.grain
    planned: list[int] = []
    measured: list[int] = []
    for one in site.shared:
        row, figure = one["day"], one["sites"].get(site.name)
        schedule = site.schedules.get(row["day"])
        if month is None or row["day"][:7] != month or schedule is None or figure is None:
            continue
        letters = list(figure["c"])
        for _, _, start, end, _ in site.asked:
            for at in range(max(start, row["start"]), min(end, row["end"]), grain):
                letters[(at - row["start"]) // grain] = _EVENT
        usable = [letter == MEASURED for letter in letters]
        planned += compress(schedule["values"], usable)
        measured += compress(figure["f"], usable)
    return ownday.is_trusted(planned, measured)


def _storage(roster: Document, site: str) -> str | None:
    """Where a site with a storage, or a car that gives back, feeds in; None for others."""
    points = {name: one for name, one in roster["points"].items() if one["site"] == site}
    gives_back = any(
        register["role"] == "D"
        for device in roster["devices"].values()
        if device["point"] in points and points[device["point"]]["kind"] == "EVSE"
        for register in device["registers"].values()
    )
    if not gives_back and not any(one["kind"] in _STORAGE for one in points.values()):
        return None
    grid = sorted(name for name, one in points.items() if one["kind"] == "GCP")
    if not grid:
        raise Refusal("unknown-point")
    return str(grid[0])
