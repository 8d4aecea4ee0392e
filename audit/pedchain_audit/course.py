# SPDX-License-Identifier: Apache-2.0
"""What happened on a ledger, for the report: its blocks, its certificates, changes of its rules."""

from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common.common_pb2 import CONFIG
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.policies import LIFECYCLE, definition
from pedchain_audit.registry import decode
from pedchain_audit.replay import Judged
from pedchain_audit.world import World
from pedchain_fabric.wire import compositekey
from pedchain_fabric.wire.rwset import Namespace

VALID = TxValidationCode.VALID
METERING, SETTLEMENT = "metering-", "settlement"
_SEQUENCE = "namespaces/fields/"


@dataclass(frozen=True, slots=True)
class Lap:
    """One block: how many transactions it holds, and how many of them without effect."""

    number: int
    transactions: int
    without_effect: int


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that a valid transaction wrote."""

    block: int
    district: str
    document: dict[str, Any]


@dataclass(slots=True)
class Course:
    """Noted while the audit goes through the blocks."""

    laps: list[Lap] = field(default_factory=list)
    certificates: list[Certified] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def block(self, number: int, judged: tuple[Judged, ...], world: World) -> None:
        """A block with its writes applied."""
        without = sum(each.code != VALID for each in judged)
        self.laps.append(Lap(number, len(judged), without))
        for each in judged:
            if each.code != VALID or each.transaction is None:
                continue
            if each.transaction.type == CONFIG and number:
                self.changes.append(f"block {number}: the channel's configuration")
            for namespace in each.namespaces:
                self._namespace(number, namespace, world)

    def _namespace(self, number: int, namespace: Namespace, world: World) -> None:
        if namespace.name == LIFECYCLE:
            committed = _definitions(namespace, world)
            self.changes += [f"block {number}: {each}" for each in committed]
        elif namespace.name.startswith(METERING):
            district = namespace.name.removeprefix(METERING)
            told = _documents(namespace, "certificate")
            self.certificates += [Certified(number, district, each) for each in told]
        elif namespace.name == SETTLEMENT:
            self.sessions |= {str(each["id"]): each for each in _documents(namespace, "session")}


def _documents(namespace: Namespace, kind: str) -> list[dict[str, Any]]:
    """Public documents of a kind that a transaction writes."""
    return [
        decode(write.value)
        for write in namespace.writes
        if not write.deletes
        and write.key.startswith("\x00")
        and compositekey.split(write.key)[0] == kind
    ]


def _definitions(namespace: Namespace, world: World) -> list[str]:
    """Definitions that a transaction commits, in words."""
    found = []
    for write in namespace.writes:
        name, _, field_name = write.key.removeprefix(_SEQUENCE).rpartition("/")
        if not write.key.startswith(_SEQUENCE) or field_name != "Sequence":
            continue
        made = definition(world, name)
        if made is not None:
            collections = ", ".join(each.name for each in made.collections) or "none"
            found.append(
                f"definition {name}, sequence {made.sequence}, version {made.version}, "
                f"collections {collections}"
            )
    return found
