# SPDX-License-Identifier: Apache-2.0
"""Changes that all districts decide, redone from the `registry` definition's blocks (rules V6).

What of a district all districts decide together changes only by a decision: proposed with the list
of every district's operator, agreed to by each in a transaction of its own, before the day it holds
from had begun anywhere. And a metering definition rests on what the registry held, by its hash.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pedchain_audit.registry import Registry, RegistryError, decode
from pedchain_domain import canonical, instants
from pedchain_domain.documents import changes_governed
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace

REGISTRY = "registry"
#: UTC+14 is the first place on earth where a day begins.
EARLIEST_ZONE_S = 14 * 3_600

Document = dict[str, Any]
Writes = Mapping[tuple[str, ...], Document]


class Act(NamedTuple):
    """Who did something when: organisation, transaction, its time in UTC epoch seconds."""

    msp_id: str
    transaction: str
    seconds: int


def check(namespace: Namespace, registry: Registry, act: Act) -> int:
    """One transaction of the definition `registry`; returns how many approvals it adds.

    Raises `RegistryError` naming what does not follow.
    """
    writes = dict(written(namespace))
    approvals = 0
    for (kind, *names), document in writes.items():
        if kind == "proposal":
            approvals += _proposal(registry, names[0], document, act)
        elif kind == "decision":
            approvals += _decision(registry, names[0], names[1], document, act)
        elif kind == "district":
            _district(registry, writes, names[0], document)
    return approvals


def written(namespace: Namespace) -> Iterator[tuple[tuple[str, ...], Document]]:
    """Documents written under composite keys, by kind and attributes."""
    for write in namespace.writes:
        if not write.deletes and write.key.startswith("\x00"):
            kind, attributes = compositekey.split(write.key)
            yield (kind, *attributes), decode(write.value)


def _district(registry: Registry, writes: Writes, name: str, document: Document) -> None:
    former = registry.get("district", name)
    if former is None or not changes_governed(former, document):
        return
    decided = [one["document"] for key, one in writes.items() if key[:2] == ("decision", name)]
    if decided != [document]:
        raise RegistryError(f"{name} changes what all districts decide, without their decision")


def _proposal(registry: Registry, name: str, document: Document, act: Act) -> int:
    if document["approvals"]:
        _agreed(registry, name, document, act)
        return 1
    proposed = document["document"]
    if document["hash"] != hashlib.sha256(canonical.encode(proposed)).hexdigest():
        raise RegistryError(f"a proposal for {name} is named by another hash than its own")
    operators = sorted({one["operator"] for one in registry.every("district")})
    if document["required"] != operators:
        raise RegistryError(f"a proposal for {name} does not ask every district")
    _later(name, proposed, act)
    return 0


def _decision(registry: Registry, name: str, day: str, document: Document, act: Act) -> int:
    _agreed(registry, name, document, act)
    agreed = [msp_id for msp_id, _ in document["approvals"]]
    if sorted(agreed) != sorted(document["required"]) or document["document"]["from"] != day:
        raise RegistryError(f"a decision on {name} that not all have agreed to")
    return 1


def _agreed(registry: Registry, name: str, document: Document, act: Act) -> None:
    """What was proposed, with one approval more: that of this transaction's own organisation."""
    before = registry.get("proposal", name)
    if before is None:
        raise RegistryError(f"an approval for {name} of what nobody proposed")
    own = [act.msp_id, act.transaction]
    earlier = [msp_id for msp_id, _ in before["approvals"]]
    if document != {**before, "approvals": [*before["approvals"], own]}:
        raise RegistryError(f"an approval for {name} is not that of its transaction")
    if act.msp_id in earlier or act.msp_id not in before["required"]:
        raise RegistryError(f"{act.msp_id} agrees for {name} twice or without being asked")
    _later(name, before["document"], act)


def _later(name: str, document: Document, act: Act) -> None:
    today = instants.format_day((act.seconds + EARLIEST_ZONE_S) // instants.DAY)
    if document["from"] <= today:
        raise RegistryError(f"{name} changes from a day that had begun")


def adoption(namespace: Namespace, metering: Registry, central: Registry) -> None:
    """A version that a metering definition adopts is what the registry holds, by its hashes.

    Raises `RegistryError`.
    """
    writes = dict(written(namespace))
    document = writes.get(("adoption",))
    if document is None:
        return
    newest = document["versions"][-1]
    known = metering.get("adoption") or {"versions": []}
    if newest in known["versions"]:
        return
    for name, digest in newest["hashes"].items():
        kind, _, of = name.partition(" ")
        held = central.must(kind, of or document["district"])
        copy = writes.get(("adopted", str(newest["version"])) if not of else (kind, of))
        if copy != held or hashlib.sha256(canonical.encode(held)).hexdigest() != digest:
            raise RegistryError(f"{name} is adopted otherwise than the registry holds it")
