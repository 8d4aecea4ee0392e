# SPDX-License-Identifier: Apache-2.0
"""What a shard's fold and close need of the registry, in one document (blueprint 4).

    roster/1 {schema, shard, sites: {id: site/1}, points: {id: point/1}, devices: {id: device/1},
              exchanges: [exchange/1]}

All points and devices of a site live in the site's shard, so that a site is closed from one
document. A registered document never changes, except a device by `rotate/1`, `revoke/1` and
`exchange/1`: the device then also carries `former` keys, `revoked` counter, or its `to`.
"""

import hashlib
from typing import Any

from pedchain_domain.documents import Document, check
from pedchain_domain.reasons import DomainError, Reason

Roster = dict[str, Any]
_PLACES = {"site/1": "sites", "point/1": "points", "device/1": "devices"}


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
    return {**fold, "series": series}


def _as_registered(known: Document) -> Document:
    first = known.get("registered")
    return known if first is None else first


def _belongs(roster: Roster, entry: Document) -> None:
    schema = entry["schema"]
    if schema == "point/1" and entry["site"] not in roster["sites"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "site")
    if schema == "point/1" and entry["parent"] not in (None, *roster["points"]):
        raise DomainError(Reason.MALFORMED_DOCUMENT, "parent")
    if schema == "device/1" and entry["point"] not in roster["points"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "point")


def _changed(roster: Roster, identifier: str, **fields: Any) -> Roster:
    known = roster["devices"].get(identifier)
    if known is None:
        raise DomainError(Reason.UNKNOWN_DEVICE)
    device_now = {**known, "registered": _as_registered(known), **fields}
    return {**roster, "devices": {**roster["devices"], identifier: device_now}}


def _rotate(roster: Roster, entry: Document) -> Roster:
    known = roster["devices"].get(entry["device"])
    if known is None:
        raise DomainError(Reason.UNKNOWN_DEVICE)
    if (known["key"], known["first_counter"]) == (entry["key"], entry["first_counter"]):
        return roster
    if entry["first_counter"] <= known["first_counter"]:
        raise DomainError(Reason.ALREADY_REGISTERED)
    former = [
        *known.get("former", []),
        {"key": known["key"], "first_counter": known["first_counter"]},
    ]
    return _changed(
        roster,
        entry["device"],
        key=entry["key"],
        first_counter=entry["first_counter"],
        former=former,
    )


def _revoke(roster: Roster, entry: Document) -> Roster:
    known = roster["devices"].get(entry["device"], {})
    counter = min(entry["counter"], known.get("revoked", entry["counter"]))
    return _changed(roster, entry["device"], revoked=counter)


def _exchange(roster: Roster, entry: Document) -> Roster:
    if entry in roster["exchanges"]:
        return roster
    for name in (entry["old"], entry["new"]):
        if roster["devices"].get(name, {}).get("point") != entry["point"]:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "devices of the point")
    if any(entry["old"] == done["old"] for done in roster["exchanges"]):
        raise DomainError(Reason.ALREADY_REGISTERED)
    after = _changed(roster, entry["old"], to=entry["at"])
    return {**after, "exchanges": [*roster["exchanges"], entry]}


_CHANGES = {"rotate/1": _rotate, "revoke/1": _revoke, "exchange/1": _exchange}
