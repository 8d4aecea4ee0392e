# SPDX-License-Identifier: Apache-2.0
"""What a shard's fold and close need of the registry, in one document (blueprint 4).

    roster/1 {schema, shard, sites: {id: site/1}, points: {id: point/1}, devices: {id: device/1},
              exchanges: [exchange/1], participations?: {site: [participation/1]},
              revised?: {sites|points: {id: [{until: day, document}]}}}
    revision/1 {schema, document: site/1 | point/1, since: day}

On the ledger exchanges stand without their registers, which the collection holds (`public`).
All points and devices of a site live in the site's shard, so that a site is closed from one
document. A device changes by what happens in its life (domain.lifecycle): it then also carries
`former` keys, its `revoked` counter, `suspended` windows, or `to`. A site or point may be revised
from a day on; what stood before stays under `revised`, and days before are closed by it (`on`).
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from pedchain_domain import lifecycle, participation, transactions
from pedchain_domain.documents import Document, check
from pedchain_domain.reasons import DomainError, Reason

Roster = dict[str, Any]
EXCHANGED = ("final", "initial")
_PLACES = {"site/1": "sites", "point/1": "points", "device/1": "devices"}
_STAYS = {"site/1": ("from",), "point/1": ("site", "kind", "parent")}
"""What of a document no revision changes."""
_SUBMETERS = ("EVSE", "HP", "HEAT_IN", "HEAT_OUT", "HEAT_GEN", "GAS", "MOB")
_PLAN_KINDS = {
    "P0": ("GCP",),
    "P1": ("GCP", "GEN"),
    "P2": ("GCP",),
    "P3": ("GCP", "GEN", "STO"),
    "P4": ("GCP", "HYB"),
    "P5": ("GCP",),
    "P6": ("GCP", "GEN", "UNIT"),
    "F0": (),
}
"""Plan -> kinds of points its balance is made of; sub-meters and feeders may always stand."""
_KIND_ROLES = {
    "GCP": ("I", "E"),
    "GEN": ("G",),
    "STO": ("Ch", "D"),
    "HYB": ("in", "out"),
    "UNIT": ("I", "E"),
    "EVSE": ("Ch", "D"),
    "HP": ("I", "Q"),
    "HEAT_IN": ("Q",),
    "HEAT_OUT": ("Q",),
    "HEAT_GEN": ("Q",),
    "GAS": ("V",),
    "MOB": ("m",),
    "FEEDER": ("I", "E"),
}
"""Kind of point -> roles of the registers read there (rules M2)."""


def shard_of(site: str, shards: int) -> int:
    """The shard a site and all that hangs on it lives in."""
    return int.from_bytes(hashlib.sha256(site.encode()).digest()[:4], "big") % shards


def empty(shard: int) -> Roster:
    """A shard's roster before the first registration."""
    return {
        "schema": "roster/1",
        "shard": shard,
        "sites": {},
        "points": {},
        "devices": {},
        "exchanges": [],
    }


def public(roster: Roster) -> Roster:
    """The roster as everybody may read it: that meters were exchanged, not what they read."""
    shown = [{k: v for k, v in one.items() if k not in EXCHANGED} for one in roster["exchanges"]]
    return {**roster, "exchanges": shown}


def exchanged(roster: Roster, registers: Mapping[str, Document]) -> Roster:
    """The roster with the registers of exchanges, as far as they are known by the old device."""
    told = [{**one, **registers.get(one["old"], {})} for one in roster["exchanges"]]
    return {**roster, "exchanges": told}


def exchange_registers(exchange: Document) -> Document:
    """What of an exchange/1 is nobody's business: the registers of both meters by role, Wh."""
    return {name: exchange[name] for name in EXCHANGED}


def device(roster: Roster, identifier: str) -> Document | None:
    """The device of an id, with its former keys and revocation."""
    found: Document | None = roster["devices"].get(identifier)
    return found


def add(roster: Roster, document: object) -> Roster:
    """The roster with one more checked document; the same document again changes nothing.

    DomainError `already-registered` for other content under a known id, `malformed-document` for
    a point without its site, a device without its point, and so on.
    """
    entry = check(document)
    change = _CHANGES.get(entry["schema"])
    if change is not None:
        return change(roster, entry)
    place = _PLACES.get(entry["schema"])
    if place is None:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "not of a shard")
    known = roster[place].get(entry["id"])
    if known is not None:
        if _as_registered(known) != entry:
            raise DomainError(Reason.ALREADY_REGISTERED)
        return roster
    _belongs(roster, entry)
    return {**roster, place: {**roster[place], entry["id"]: entry}}


def revise(roster: Roster, revision: Document) -> Roster:
    """The roster with a site or point revised from a day on; the same again changes nothing.

    A second revision from the same day replaces the first. DomainError `malformed-document` for an
    unknown one or kinds of points the new meter plan has not, `already-registered` where it would
    become another site's or another kind's, `overlaps` for a day before its last revision.
    """
    entry, since = revision["document"], revision["since"]
    place = _PLACES[entry["schema"]]
    known: Document | None = roster[place].get(entry["id"])
    if known is None:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "not registered")
    if known == entry:
        return roster
    if any(known[name] != entry[name] for name in _STAYS[entry["schema"]]):
        raise DomainError(Reason.ALREADY_REGISTERED)
    revised = roster.get("revised", {"sites": {}, "points": {}})
    former = revised[place].get(entry["id"], [])
    if former and former[-1]["until"] > since:
        raise DomainError(Reason.OVERLAPS)
    if not former or former[-1]["until"] < since:
        former = [*former, {"until": since, "document": known}]
    after = {
        **roster,
        place: {**roster[place], entry["id"]: entry},
        "revised": {**revised, place: {**revised[place], entry["id"]: former}},
    }
    if place == "sites":
        for point in roster["points"].values():
            if point["site"] == entry["id"]:
                _point_belongs(after, point)
    return after


def on(roster: Roster, day: str) -> Roster:
    """The roster with every site and point as it stood on a day."""
    revised = roster.get("revised")
    if revised is None:
        return roster
    return {**roster, **{place: _stood(roster[place], revised[place], day) for place in revised}}


def _stood(now: Document, former: Mapping[str, list[Document]], day: str) -> Document:
    found = dict(now)
    for name, versions in former.items():
        held = [one["document"] for one in versions if day < one["until"]]
        if held:
            found[name] = held[0]
    return found


def without_doubtful(fold: Document, roster: Roster) -> Document:
    """The fold without what a compromised device read since it was: kept, but not certified."""
    compromised: dict[str, int] = roster.get("compromised", {})
    series = dict(fold["series"])
    for device, since in compromised.items():
        columns = series.pop(device, None)
        if columns is None:
            continue
        kept = sum(1 for at in columns["t"] if at < since)
        if kept:
            series[device] = {
                name: [at for at in values if at < since] if name == "s" else values[:kept]
                for name, values in columns.items()
            }
    left = {**fold, "series": series}
    if "charged" in fold:
        left["charged"] = transactions.without(fold["charged"], compromised)
    return left


def _as_registered(known: Document) -> Document:
    first = known.get("registered")
    return known if first is None else first


def _belongs(roster: Roster, entry: Document) -> None:
    if entry["schema"] == "point/1":
        _point_belongs(roster, entry)
    elif entry["schema"] == "device/1":
        point = roster["points"].get(entry["point"])
        if point is None:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "point")
        roles = [register["role"] for register in entry["registers"].values()]
        if any(role not in _KIND_ROLES[point["kind"]] for role in roles):
            raise DomainError(Reason.MALFORMED_DOCUMENT, "role at this kind of point")


def _point_belongs(roster: Roster, entry: Document) -> None:
    site = roster["sites"].get(entry["site"])
    if site is None:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "site")
    if entry["parent"] not in (None, *roster["points"]):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "parent")
    parent = roster["points"].get(entry["parent"])
    if parent is not None and parent["site"] != entry["site"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "parent of another site")
    if entry["kind"] not in (*_PLAN_KINDS[site["plan"]], *_SUBMETERS, "FEEDER"):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "kind under this meter plan")


def _known(roster: Roster, identifier: str, change: str) -> Document:
    known: Document | None = roster["devices"].get(identifier)
    if known is None:
        raise DomainError(Reason.UNKNOWN_DEVICE)
    lifecycle.require(known, change)
    return known


def _changed(roster: Roster, known: Document, **fields: Any) -> Roster:
    device_now = {**known, "registered": _as_registered(known), **fields}
    return {**roster, "devices": {**roster["devices"], known["id"]: device_now}}


def _rotate(roster: Roster, entry: Document) -> Roster:
    known = _known(roster, entry["device"], "rotate/1")
    if (known["key"], known["first_counter"]) == (entry["key"], entry["first_counter"]):
        return roster
    if entry["first_counter"] <= known["first_counter"]:
        raise DomainError(Reason.ALREADY_REGISTERED)
    last = {"key": known["key"], "first_counter": known["first_counter"]}
    return _changed(
        roster,
        known,
        key=entry["key"],
        first_counter=entry["first_counter"],
        former=[*known.get("former", []), last],
    )


def _revoke(roster: Roster, entry: Document) -> Roster:
    known = _known(roster, entry["device"], "revoke/1")
    counter = min(entry["counter"], known.get("revoked", entry["counter"]))
    return _changed(roster, known, revoked=counter)


def _suspend(roster: Roster, entry: Document) -> Roster:
    windows = roster["devices"].get(entry["device"], {}).get("suspended", [])
    if windows and windows[-1] == [entry["from"], None]:
        return roster
    known = _known(roster, entry["device"], "suspend/1")
    if windows and entry["from"] < windows[-1][1]:
        raise DomainError(Reason.OVERLAPS)
    return _changed(roster, known, suspended=[*windows, [entry["from"], None]])


def _resume(roster: Roster, entry: Document) -> Roster:
    windows = roster["devices"].get(entry["device"], {}).get("suspended", [])
    if windows and windows[-1][1] == entry["at"]:
        return roster
    known = _known(roster, entry["device"], "resume/1")
    since = windows[-1][0]
    if entry["at"] <= since:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "at")
    return _changed(roster, known, suspended=[*windows[:-1], [since, entry["at"]]])


def _exchange(roster: Roster, entry: Document) -> Roster:
    if entry in roster["exchanges"]:
        return roster
    for name in (entry["old"], entry["new"]):
        if roster["devices"].get(name, {}).get("point") != entry["point"]:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "devices of the point")
    if any(entry["old"] == done["old"] for done in roster["exchanges"]):
        raise DomainError(Reason.ALREADY_REGISTERED)
    old = _known(roster, entry["old"], "exchange/1")
    new = roster["devices"][entry["new"]]
    if entry["old"] == entry["new"] or not old["from"] <= entry["at"] <= new["from"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "at")
    for registers, device_now in ((entry["final"], old), (entry["initial"], new)):
        roles = [register["role"] for register in device_now["registers"].values()]
        if any(role not in roles for role in registers):
            raise DomainError(Reason.MALFORMED_DOCUMENT, "a role its meter lacks")
    after = _changed(roster, old, to=entry["at"])
    return {**after, "exchanges": [*roster["exchanges"], entry]}


def _participate(roster: Roster, entry: Document) -> Roster:
    if entry["site"] not in roster["sites"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "site")
    shares: dict[str, list[Document]] = roster.get("participations", {})
    before = shares.get(entry["site"], [])
    after = participation.added(before, entry)
    if after == before:
        return roster
    return {**roster, "participations": {**shares, entry["site"]: after}}


_CHANGES = {
    "rotate/1": _rotate,
    "revoke/1": _revoke,
    "suspend/1": _suspend,
    "resume/1": _resume,
    "exchange/1": _exchange,
    "participation/1": _participate,
}
