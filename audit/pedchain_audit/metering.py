# SPDX-License-Identifier: Apache-2.0
"""Steps 6 and 7 over the blocks: records, folds and certificates of every metering definition.

What a transaction writes decides what is checked, not what it calls itself: any write of a batch
marker must come with authentic records, any certificate must follow from them.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from pedchain_audit import batches, decisions
from pedchain_audit.claims import Claims
from pedchain_audit.days import Close, Days
from pedchain_audit.errors import Broken, VerificationError
from pedchain_audit.filing import Batch, Filing
from pedchain_audit.following import Follows, nothing
from pedchain_audit.losses import Losses, document_of
from pedchain_audit.origin import Origin
from pedchain_audit.private import Private, hashed_keys, values
from pedchain_audit.registry import Registry, decode, membership, shares
from pedchain_audit.replay import Judged
from pedchain_audit.workers import Alone
from pedchain_audit.world import World
from pedchain_domain import calendar as calendars
from pedchain_domain.reasons import DomainError
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.rwset import Namespace, hash_key

PREFIX = "metering-"
#: Kinds of public documents that something is checked of, in the order in which they are redone.
KINDS = ("secret", "member", "roster", "batch", "folded", "close", "certificate", "monthly")

Document = dict[str, Any]


@dataclass(slots=True)
class Place:
    """Where a check is, for the error that names it."""

    block: int
    transaction: int

    def fail(self, check: str, text: str) -> VerificationError:
        return VerificationError(check, text, block=self.block, transaction=self.transaction)


@dataclass(slots=True)
class District:
    """What was redone of one definition so far; `blind` once private data was not to be had."""

    filing: Filing = field(default_factory=Filing)
    days: Days = field(init=False)
    closed_cells: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    blind: bool = False
    owed: Document | None = None  # the month's certificate the day just certified makes
    secret: bytes | None = None  # what the district's pseudonyms are made with
    exchanged: dict[str, Document] = field(default_factory=dict)  # registers, by the old meter
    claims: Claims = field(default_factory=Claims)
    origin: Origin = field(default_factory=Origin)
    erased: set[str] = field(default_factory=set)  # days that records are erased of
    taken_over: list[str] = field(default_factory=list)  # certificates not redone, in words
    takes_over: bool = False  # the transaction at hand wrote such a one

    def __post_init__(self) -> None:
        self.days = Days(self.filing)


class Metering:
    """Counts what it checked into `device_signatures` and `certificates`."""

    def __init__(
        self, channel: str, losses: Losses | None = None, work: Alone | None = None
    ) -> None:
        """`work` computes what signatures of devices cost."""
        self.work = work or Alone()
        self.follows: Follows = nothing
        self.checking = True  # whether signatures of devices are checked
        self._channel = channel
        self._losses = losses or Losses()
        self._districts: dict[str, District] = {}
        self.device_signatures = 0
        self.certificates = 0
        self.origin_certificates = 0
        self.debits = 0
        self.approvals = 0
        self.claims = 0

    def transaction(self, number: int, judged: Judged, world: World, private: bytes | None) -> None:
        """One valid transaction, before its writes are applied; `private` as delivered."""
        place = Place(number, judged.position)
        try:
            for namespace in judged.namespaces:
                if namespace.name == decisions.REGISTRY:
                    central = Registry(world, namespace.name)
                    self.approvals += decisions.check(namespace, central, act_of(judged))
                elif namespace.name.startswith(PREFIX) and namespace.is_written:
                    district = self._districts.setdefault(namespace.name, District())
                    if not district.blind:
                        self._namespace(place, judged, namespace, world, private)
        except Broken as error:
            raise place.fail(error.check, str(error)) from error
        except (KeyError, IndexError, DomainError) as error:
            text = f"what it rests on is not on the ledger: {error}"
            raise place.fail("metering", text) from error

    def measured(
        self, world: World, district: str, point: str, role: str, hour: int
    ) -> list[tuple[list[int], bool]]:
        """What a register measured in an hour, as closed here; nothing where it was not."""
        found = self._districts.get(PREFIX + district)
        if found is None or found.blind:
            return []
        registry = Registry(world, PREFIX + district, found.secret)
        document = registry.district("9999-12-31")
        row = calendars.day_at(registry.calendar(document), hour)
        if row is None:
            return []
        return found.days.measured(point, role, hour, row, document["grain"])

    def days(self, district: str) -> Days | None:
        """What closing a district's days left; None where readings are not to be had."""
        found = self._districts.get(PREFIX + district)
        return None if found is None or found.blind else found.days

    def exports(self) -> dict[tuple[str, str, int], int]:
        """Wh of certificates of origin that left their district, by district, site and hour."""
        return {
            (name.removeprefix(PREFIX), *place): wh
            for name, district in self._districts.items()
            for place, wh in district.origin.exports().items()
        }

    def site(self, world: World, district: str, point: str) -> str | None:
        """The site that a point is of."""
        found = self._districts.get(PREFIX + district)
        if found is None:
            return None
        registry = Registry(world, PREFIX + district, found.secret)
        for cell in range(registry.cells()):
            place = registry.roster(cell)["points"].get(point)
            if place is not None:
                return str(place["site"])
        return None

    def not_checked(self) -> list[str]:
        """Districts whose readings the archive does not hold, in words."""
        return [*self._blind(), *self._not_redone()]

    def _not_redone(self) -> list[str]:
        """What was erased or purged since, and what of origin."""
        found = []
        for name, district in sorted(self._districts.items()):
            short = name.removeprefix(PREFIX)
            if district.taken_over:
                found.append(
                    f"{len(district.taken_over)} certificates of {short} from the readings: some "
                    "were erased or purged since, sums are taken over as they were left "
                    f"({district.taken_over[0]} to {district.taken_over[-1]})"
                )
            if district.origin.lost:
                found.append(f"certificates of origin of {short}: not all is here any more")
        return found

    def _blind(self) -> list[str]:
        return [
            f"readings and certificates of {name.removeprefix(PREFIX)}: private data is not "
            "all here (no member of the collection, or purged since)"
            for name, district in sorted(self._districts.items())
            if district.blind
        ]

    def _namespace(
        self,
        place: Place,
        judged: Judged,
        namespace: Namespace,
        world: World,
        private: bytes | None,
    ) -> None:
        district = self._districts[namespace.name]
        shown = values(namespace, private)
        if shown is None:
            district.blind = True
            return
        registry = Registry(world, namespace.name, district.secret, district.exchanged)
        for kind, attributes, document in written(namespace):
            if kind == "batch":
                self._batch(place, judged, namespace, registry, shown, attributes, document)
            elif kind == "folded":
                fold(place, district, registry, int(attributes[0]), document)
            elif kind == "close":
                close(district, registry, attributes, document)
            elif kind == "certificate":
                self._certificate(place, district, registry, shown, document)
            elif kind == "monthly":
                self._monthly(place, district, document)
            else:
                self._registered(judged, registry, shown, kind, document)
        self._origin(judged, namespace, registry, shown)
        self._claims(judged, namespace, registry, shown)
        decisions.adoption(namespace, registry, Registry(world, decisions.REGISTRY))

    def _batch(
        self,
        place: Place,
        judged: Judged,
        namespace: Namespace,
        registry: Registry,
        shown: Private,
        attributes: list[str],
        marker: Document,
    ) -> None:
        """Step 6."""
        district = self._districts[namespace.name]
        assert judged.transaction is not None
        transaction = judged.transaction.transaction_id
        key = hash_key(compositekey.create("batch", [transaction]))
        if attributes[-1] != transaction or key not in hashed_keys(namespace):
            raise place.fail("batch", "a marker without the batch it stands for")
        document = shown.get(key)
        seconds = judged.transaction.timestamp // 1_000_000_000
        network = str(registry.must("fence")["network"])
        entered = self._entered(registry.namespace, transaction, document)
        if entered is None:  # not here, and nothing says that it may be missing
            district.blind = True
            return
        held, erased = entered
        rows = batches.rows_of(held) if held else {}
        entries = registry.devices(batches.devices_of(rows))
        latest = seconds + batches.CLOCK_TOLERANCE_S
        ground = batches.Ground(entries, registry.naming, network, self._channel, latest)
        if erased:
            district.erased.update(batches.check_erased(held, marker, ground))
        elif held and self.checking:
            self.work.check(place, batches.check, held, marker, ground)
        if held and self.checking:
            self.device_signatures += sum(map(len, rows.values()))
        district.filing.add(int(attributes[0]), Batch(transaction, attributes[1], rows))

    def _entered(
        self, name: str, transaction: str, document: bytes | None
    ) -> tuple[bytes, bool] | None:
        """A batch as it is here, and whether records were erased from it; of purged days nothing
        is, and None says that it should be."""
        if document:
            return document, False
        erased = self._losses.batches.get((name, transaction))
        if erased is not None:
            return erased, True
        return (b"", False) if name in self._losses.purged else None

    def _origin(
        self, judged: Judged, namespace: Namespace, registry: Registry, shown: Private
    ) -> None:
        """Step 8."""
        assert judged.transaction is not None
        district = self._districts[namespace.name]
        short = namespace.name.removeprefix(PREFIX)
        district.origin.follows = lambda asked, *what: self.follows(asked.world, short, *what)
        before = (district.origin.issues, district.origin.debits)
        district.origin.transaction(
            namespace,
            judged.transaction.transaction_id,
            shown,
            registry,
            district.days.intervals,
            self._channel,
        )
        self.origin_certificates += district.origin.issues - before[0]
        self.debits += district.origin.debits - before[1]

    def _claims(
        self, judged: Judged, namespace: Namespace, registry: Registry, shown: Private
    ) -> None:
        claims = self._districts[namespace.name].claims
        before = claims.settled
        writes = dict(decisions.written(namespace))
        claims.check(writes, registry, shown, act_of(judged), self._channel)
        self.claims += claims.settled - before

    def _registered(
        self,
        judged: Judged,
        registry: Registry,
        shown: Private,
        kind: str,
        document: Document,
    ) -> None:
        """The district's secret is kept; members' signatures and sites' shares are checked."""
        district = self._districts[registry.namespace]
        if kind == "secret":
            key = compositekey.create("secret", [document["transaction"]])
            district.secret = shown.get(hash_key(key))
        elif kind == "member":
            creator = act_of(judged).msp_id
            membership(document["document"], registry.must("fence"), creator, self._channel)
        else:
            shares(document)
            district.exchanged |= registry.exchanges(document, shown)

    def _certificate(
        self,
        place: Place,
        district: District,
        registry: Registry,
        shown: Private,
        document: Document,
    ) -> None:
        """Step 7: the certificate written is the one the readings make."""
        fence = registry.must("fence")
        chains = [district.filing.chains.get(shard, "") for shard in range(fence["shards"])]
        digest = hashlib.sha256("".join(chains).encode()).hexdigest()
        run = Close(document["day"], document["run"], fence["period"] - 1)
        exported = district.origin.exported.get(run.day, {})
        issued = district.days.publish(run, digest, registry, exported)
        if district.owed is not None:
            raise place.fail("certificate", f"a month's certificate is missing: {district.owed}")
        district.owed = issued.monthly
        near = self._losses.near(registry.namespace, run.day, district.erased)
        district.takes_over = near and issued.certificate != document
        if district.takes_over:
            district.owed = None
            district.taken_over.append(f"{run.day} {run.run}")
            moved = self._losses.totals.get((registry.namespace, run.day, run.run))
            district.days.take_over(run, [*filter(None, map(document_of, shown.values()))], moved)
            return
        self._same(place, f"{document['district']} {document['day']}", issued.certificate, document)

    def _monthly(self, place: Place, district: District, document: Document) -> None:
        """The month's certificate that its last day made."""
        if district.takes_over:
            return
        made, district.owed = district.owed or {}, None
        self._same(place, f"{document['district']} {document['month']}", made, document)

    def _same(self, place: Place, name: str, made: Document, document: Document) -> None:
        if made != document:
            names = {**made, **document}
            wrong = sorted(each for each in names if made.get(each) != document.get(each))
            raise place.fail(
                "certificate",
                f"{name} {document['run']}: from the readings follows another {', '.join(wrong)}",
            )
        self.certificates += 1


def act_of(judged: Judged) -> decisions.Act:
    """Who did it, when."""
    transaction = judged.transaction
    assert transaction is not None
    msp_id = Identity.from_creator(transaction.creator).msp_id
    return decisions.Act(msp_id, transaction.transaction_id, transaction.timestamp // 1_000_000_000)


def fold(
    place: Place, district: District, registry: Registry, shard: int, document: Document
) -> None:
    """A shard's period is said to be folded: the list of its batches must be the one seen."""
    fence = registry.must("fence")
    newest = registry.district("9999-12-31")
    calendar = registry.calendar(newest)
    chain = district.filing.fold(
        document["through"], shard, fence["shards"], calendar, fence["grain"]
    )
    if chain != document["batches"]:
        raise place.fail("fold", "it rests on other batches than were filed")


def close(
    district: District, registry: Registry, attributes: list[str], document: Document
) -> None:
    """A step of closing a day: the cells it went through."""
    day, run = attributes
    through, done = district.closed_cells.get((day, run), (-1, 0))
    first = done if through == document["through"] else 0
    asked = Close(day, run, document["through"])
    district.days.cells(asked, first, document["cell"], registry)
    district.closed_cells[day, run] = (document["through"], document["cell"])


def written(namespace: Namespace) -> list[tuple[str, list[str], Document]]:
    """Public documents written under composite keys: close steps before the certificate."""
    found = []
    for write in namespace.writes:
        if write.deletes or not write.key.startswith("\x00"):
            continue
        kind, attributes = compositekey.split(write.key)
        if kind in KINDS:
            found.append((kind, list(attributes), decode(write.value)))
    return sorted(found, key=lambda each: KINDS.index(each[0]))
