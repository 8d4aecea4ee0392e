# SPDX-License-Identifier: Apache-2.0
"""Step 8: certificates of origin issued and moved anew (rules G), from the collection's data.

Issues follow from the intervals that the audit itself closed by run F. Each debit is verified with
the key its account had then, its counter is the next, and what it leaves is what the pure rules
make of what was there. Public totals follow from the issues.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pedchain_audit import following
from pedchain_audit.errors import Broken
from pedchain_audit.losses import document_of
from pedchain_audit.registry import Registry
from pedchain_domain import calendar, debit, origin, origincert, originstorage
from pedchain_domain.canonical import encode
from pedchain_domain.readings import derive_salt
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace, hash_key

Document = dict[str, Any]
#: intervals/1 by cell, day and run, as the audit closed them.
Intervals = Mapping[tuple[int, str, str], Document]
#: What registers gave or took in an hour with its origin: registry, registers, way, hour to Wh by
#: pool.
Asked = Callable[[Registry, Sequence[tuple[str, str]], str, int], dict[str, int]]
RUN = "F"
HELD = ("account/1", "exported/1", "gc/1", "issue/1", "pools/1", "storage/1")


class OriginError(Broken):
    """What was written does not follow from what it rests on; the text tells what."""

    check = "origin"


@dataclass(slots=True)
class Origin:
    """One district's accounts and certificates so far; `lost` once some were not to be had."""

    accounts: dict[str, Document] = field(default_factory=dict)
    certificates: dict[str, Document] = field(default_factory=dict)
    storages: dict[str, Document] = field(default_factory=dict)
    claimed: dict[tuple[str, int], int] = field(default_factory=dict)
    exported: dict[str, dict[str, int]] = field(default_factory=dict)  # by day and account, Wh
    sites: dict[str, tuple[str, int]] = field(default_factory=dict)  # by issue: site and hour
    issued: dict[tuple[str, str], Document] = field(default_factory=dict)  # by site and day
    cells: dict[str, int] = field(default_factory=dict)  # by site
    pools: dict[str, Document] = field(default_factory=dict)  # by day
    follows: Asked = following.nothing
    issues: int = 0
    debits: int = 0
    lost: bool = False

    def transaction(
        self,
        namespace: Namespace,
        transaction: str,
        shown: Mapping[bytes, bytes],
        registry: Registry,
        intervals: Intervals,
        channel: str,
    ) -> None:
        """One valid transaction. Raises `OriginError`; `KeyError` where it rests on nothing."""
        marks = dict(_public(namespace))
        held = list(_held(shown.values()))
        if "origin-debit" in marks and not self.lost:
            raw = shown.get(hash_key(compositekey.create("debit", [transaction])))
            self.lost = not raw
            if raw:
                self._debit(raw, held, registry, intervals, channel)
        elif "origin-issuing" in marks:
            self._issue(marks, held, registry, intervals)
        elif not self.lost:
            self._follow(held, registry, intervals)
        for document in held:
            self._take(document)

    def exports(self) -> Counter[tuple[str, int]]:
        """Wh of certificates that left the district, or are locked to, by site and hour."""
        found: Counter[tuple[str, int]] = Counter()
        for one in self.certificates.values():
            if one["state"] in ("locked", "exported") and one.get("issue") in self.sites:
                found[self.sites[one["issue"]]] += one["wh"]
        return found

    def _take(self, document: Document) -> None:
        places = {"account/1": self.accounts, "gc/1": self.certificates}
        place = places.get(document["schema"])
        if place is not None:
            place[document["id"]] = document
        elif document["schema"] == "issue/1":
            self.issued[document["site"], document["day"]] = document
        elif document["schema"] == "pools/1":
            self.pools[document["day"]] = document["hours"]
        elif document["schema"] == "storage/1":
            self.storages[document["site"]] = document
        elif document["schema"] == "exported/1":
            self.exported[document["day"]] = document["parts"]

    # -- issues -----------------------------------------------------------------------------

    def _issue(
        self,
        marks: Mapping[str, tuple[list[str], Document]],
        held: list[Document],
        registry: Registry,
        intervals: Intervals,
    ) -> None:
        """A step of issuing: its cells by the public state before and after it."""
        before = registry.get("origin-issuing") or {}
        after = marks["origin-issuing"][1]
        done = "cell" not in after
        day = after["last"] if done else after["day"]
        if done and before.get("last", "") >= day:
            raise OriginError(f"{day} is issued twice")
        last = registry.cells() if done else after["cell"]
        issues = {one["site"]: one for one in held if one["schema"] == "issue/1"}
        district = registry.district(day)
        row = calendar.find(registry.calendar(district), day)
        made: list[Document] = []
        for cell in range(before.get("cell", 0), last):
            roster = registry.roster(cell, day)
            for site in sorted(roster["sites"]):
                self.cells[site] = cell
                if roster["sites"][site]["plan"] not in origin.GENERATING_PLANS:
                    continue
                closed = intervals[cell, day, RUN]
                points = origin.points_of(site, roster, closed)
                found = origin.made(roster["sites"][site]["plan"], points, row, district["grain"])
                made += self._same(issues, site, found, roster["sites"][site]["zone"])
        written = [one for one in held if one["schema"] == "gc/1"]
        if not self.lost:
            _equal(made, written, "certificates issued")
        self.issues += len(written)

    def _same(
        self, issues: Mapping[str, Document], site: str, found: list[origin.Made], zone: str
    ) -> list[Document]:
        """What one site's issue must have made: [issue, owner, hour, wh, zone] of certificates."""
        issue = issues.get(site)
        if issue is None:  # purged or erased since
            self.lost = True
            return []
        if [row[:4] for row in issue["rows"]] != [list(each) for each in found]:
            raise OriginError("an issue is not what the intervals of run F make")
        for point, hour, *_ in issue["rows"]:
            self.sites[derive_salt("issue", [issue["salt"], point, str(hour)])] = (site, hour)
        return [
            {
                "issue": derive_salt("issue", [issue["salt"], point, str(hour)]),
                "owner": account,
                "hour": hour,
                "wh": grid,
                "zone": zone,
            }
            for point, hour, grid, _, account in issue["rows"]
            if account is not None and grid
        ]

    def _follow(self, held: list[Document], registry: Registry, intervals: Intervals) -> None:
        """A step of letting certificates go with what was sold and shared (P2)."""
        made: list[Document] = []
        pools: dict[str, Document] = {}
        for after in (one for one in held if one["schema"] == "issue/1"):
            site, day = after["site"], after["day"]
            before = self.issued[site, day]
            if before == after:
                continue
            cell = self.cells[site]
            closed = intervals[cell, day, RUN]
            points = origin.points_of(site, registry.roster(cell, day), closed)
            registers = following.registers_of(points)
            ask = partial(self.follows, registry, registers, "feeds")
            made += following.redo(before, after, self.certificates, ask)
            hours = pools.setdefault(day, deepcopy(self.pools.get(day, {})))
            following.add(hours, before.get("followed", {}), after["followed"])
        written = [{**one, "salt": None} for one in held if one["schema"] == "gc/1"]
        _equal(made, written, "certificates that went with the energy")
        for one in (one for one in held if one["schema"] == "pools/1"):
            if one["hours"] != pools.get(one["day"], self.pools.get(one["day"], {})):
                raise OriginError("what went with the energy of a day does not add up")

    # -- debits -----------------------------------------------------------------------------

    def _debit(
        self,
        raw: bytes,
        held: list[Document],
        registry: Registry,
        intervals: Intervals,
        channel: str,
    ) -> None:
        salt, signed = raw[:16].hex(), debit.decode(raw[16:])
        account = self.accounts[signed.debit.account]
        fence = registry.must("fence")
        contract = f"metering-{fence['district']}:origin"
        domain = debit.Domain(fence["network"], channel, contract)
        found = debit.check(signed, domain, account["key"]["spki"], account["counter"])
        self.debits += 1
        after = next(one for one in held if one["schema"] == "account/1")
        key = found.body["key"] if found.action == "rotate" else account["key"]
        fresh = derive_salt("origin", [salt, "account", found.account])
        if after != {**account, "counter": found.counter, "key": key, "salt": fresh}:
            raise OriginError("a debit changes more of its account than the counter")
        written = [one for one in held if one["schema"] == "gc/1"]
        if found.action == "discharge":
            self._discharge(found, account, written, registry, intervals)
        elif found.action != "rotate":
            self._move(found, account, written, salt, registry, intervals)
        if found.action == "export":
            self._export(found, held, registry)

    def _move(
        self,
        found: debit.Debit,
        account: Document,
        written: list[Document],
        salt: str,
        registry: Registry,
        intervals: Intervals,
    ) -> None:
        before = self.certificates[found.body["certificate"]]
        self._movable(account, before, registry, intervals)
        fresh = derive_salt("origin", [salt, "move"])
        moved = origincert.move(before, found.action, found.account, found.body, fresh)
        changed = {**moved.certificate, "salt": derive_salt("origin", [salt, "moved"])}
        _equal([changed, *moved.successors], written, f"what {found.action} leaves")
        if found.action == "export":
            foreign = registry.must("origin-foreign", before["registry"])
            origincert.check_receipt(before, found.body["receipt"], foreign["key"]["spki"])
        if found.action in ("claim", "charge"):
            self._consume(account, before, registry, intervals)

    def _movable(
        self, account: Document, before: Document, registry: Registry, intervals: Intervals
    ) -> None:
        """Nothing of a certificate's hour was given that it did not go with (P2)."""
        first = "parent" not in before and before["source"] == origincert.GENERATION
        mine = account["site"] is not None and before["owner"] == account["id"]
        if first and mine and "followed" not in before:
            row = self._row(registry, before["hour"])
            points, _ = self._points(account, row, registry, intervals)
            registers = following.registers_of(points)
            if self.follows(registry, registers, "feeds", before["hour"]):
                raise OriginError("a certificate moves without what was sold or shared of it")

    def _row(self, registry: Registry, hour: int) -> calendar.Day:
        row = calendar.day_at(registry.calendar(registry.district("9999-12-31")), hour)
        if row is None:
            raise OriginError("a certificate of an hour without a day")
        return row

    def _export(self, found: debit.Debit, held: list[Document], registry: Registry) -> None:
        """What left the district of a day is added up by account (P2)."""
        certificate = self.certificates[found.body["certificate"]]
        row = calendar.day_at(
            registry.calendar(registry.district("9999-12-31")), certificate["hour"]
        )
        day = row["day"] if row else ""
        parts = dict(self.exported.get(day, {}))
        parts[found.account] = parts.get(found.account, 0) + certificate["wh"]
        sums = [(one["day"], one["parts"]) for one in held if one["schema"] == "exported/1"]
        if sums != [(day, parts)]:
            raise OriginError("an export is not added to what left on its day")

    def _consume(
        self, account: Document, before: Document, registry: Registry, intervals: Intervals
    ) -> None:
        """No more is claimed or charged than the site drew in that hour (G3, G4)."""
        hour, site = before["hour"], account["site"]
        row = self._row(registry, hour)
        points, grain = self._points(account, row, registry, intervals)
        drawn = origin.drawn(points, row, grain, hour)
        whole = self.claimed.get((site, hour), 0) + before["wh"]
        registers = following.registers_of(points)
        came = sum(self.follows(registry, registers, "draws", hour).values())
        if drawn is None or whole > drawn - came:
            raise OriginError("more is claimed than the site drew in that hour")
        self.claimed[site, hour] = whole

    def _discharge(
        self,
        found: debit.Debit,
        account: Document,
        written: list[Document],
        registry: Registry,
        intervals: Intervals,
    ) -> None:
        """What a storage's day certifies follows from what was charged (G3)."""
        day = found.body["day"]
        district = registry.district(day)
        row = calendar.find(registry.calendar(district), day)
        points, grain = self._points(account, row, registry, intervals)
        site = registry.roster(account["cell"], day)["sites"][account["site"]]
        ppm = originstorage.efficiency(registry.factors(district))
        rows = origin.discharges(points, row, grain)
        storage = self.storages[account["site"]]
        capacity = site.get("battery_wh", 0)
        _, outs = originstorage.discharged(storage, day, rows, ppm, capacity)
        made = [{"hour": out.hour, "wh": out.grid, "source": "storage"} for out in outs if out.grid]
        _equal(made, written, "what a storage gives back")
        self.sites.update((one["issue"], (account["site"], one["hour"])) for one in written)

    def _points(
        self, account: Document, row: calendar.Day, registry: Registry, intervals: Intervals
    ) -> tuple[list[origin.Point], int]:
        roster = registry.roster(account["cell"], row["day"])
        closed = intervals[account["cell"], row["day"], RUN]
        grain: int = registry.district(row["day"])["grain"]
        return origin.points_of(account["site"], roster, closed), grain


def _equal(made: Iterable[Document], written: list[Document], what: str) -> None:
    """Written documents are those made, as far as the made ones say."""
    expected = list(made)
    fields = sorted(expected[0]) if expected else []
    shown = [{name: one.get(name) for name in fields} for one in written]
    lacking = [{name: one.get(name) for name in fields} for one in expected]
    if len(shown) != len(lacking) or sorted(map(encode, shown)) != sorted(map(encode, lacking)):
        raise OriginError(f"{what}: not what follows from what it rests on")


def _public(namespace: Namespace) -> Iterable[tuple[str, tuple[list[str], Document]]]:
    for write in namespace.writes:
        if not write.deletes and write.key.startswith("\x00origin"):
            kind, attributes = compositekey.split(write.key)
            found = document_of(b"\x00" * 16 + write.value)
            yield kind, (list(attributes), found or {})


def _held(values: Iterable[bytes]) -> Iterable[Document]:
    for value in values:
        found = document_of(value) if value else None
        if found is not None and found.get("schema") in HELD:
            yield found
