# SPDX-License-Identifier: Apache-2.0
"""The sections `chaincode` and `definitions`: what is served, and what is agreed on it."""

import re
from collections.abc import Iterable, Sequence

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_network import limits
from pedchain_network.topology import fields, policytext
from pedchain_network.topology.model import Chaincode, Deployment
from pedchain_network.topology.node import Package
from pedchain_network.topology.organization import Organization
from pedchain_network.topology.yamlnode import Fields, Value

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_NAME = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")  # lifecycle/scc.go
_COLLECTION = re.compile(r"[A-Za-z0-9_-]+")
_MOST_GENERATIONS = 1_000


def read(value: Value) -> Chaincode:
    """The section `chaincode`. Raises `TopologyError`."""
    each = value.fields(("command", "probe", "packages"))
    command = tuple(item.text() for item in each.items("command"))
    if not command:
        raise each["command"].fail("is empty", "name the program that serves the chaincode")
    packages: list[Package] = []
    for position, item in enumerate(each.items("packages")):
        packages.append(_package(item, position, packages))
    if not 1 <= len(packages) <= limits.PACKAGES:
        raise each["packages"].fail("needs packages", f"list 1 to {limits.PACKAGES}")
    return Chaincode(command, each.text("probe"), tuple(packages))


def _package(item: Value, position: int, others: Iterable[Package]) -> Package:
    if item.is_text:
        label = _label(item, others)
        made = Package(label, label, min(position, limits.PACKAGES - 1))
    else:
        each = item.fields(("label",), ("contract", "slot", "generation"))
        label = _label(each["label"], others)
        made = Package(
            label,
            each.text("contract", label),
            each.integer("slot", 0, limits.PACKAGES - 1, min(position, limits.PACKAGES - 1)),
            each.integer("generation", 0, _MOST_GENERATIONS),
        )
    for other in others:
        if other.slot == made.slot:
            raise item.fail(f"slot {made.slot} is {other.label}'s", "choose another `slot`")
    return made


def _label(value: Value, others: Iterable[Package]) -> str:
    label = fields.name(value, _LABEL, "letters, digits and single _")
    fields.unique(value, label, (each.label for each in others))
    return label


def definitions(
    value: Value, organizations: Sequence[Organization], chaincode: Chaincode
) -> tuple[Deployment, ...]:
    """The section `definitions`. Raises `TopologyError`."""
    found: list[Deployment] = []
    labels = [each.label for each in chaincode.packages]
    for item in value.items():
        each = item.fields(
            ("name", "package", "version", "sequence", "endorsement"), ("collections",)
        )
        name = fields.name(each["name"], _NAME, "letters and digits joined by single - or _")
        fields.unique(each["name"], name, (other.definition.name for other in found))
        if each.text("package") not in labels:
            raise each["package"].fail("no such package", f"known: {', '.join(labels)}")
        definition = Definition(
            name=name,
            version=each.text("version"),
            sequence=each.integer("sequence", 1, 1_000_000),
            endorsement=policytext.check(each["endorsement"], organizations, "peer"),
            collections=_collections(each, organizations),
        )
        found.append(Deployment(each.text("package"), definition))
    return tuple(found)


def _collections(parent: Fields, organizations: Sequence[Organization]) -> tuple[Collection, ...]:
    found: list[Collection] = []
    for item in parent.items("collections"):
        each = item.fields(("name", "members"), ("endorsement", "required_peers", "max_peers"))
        name = fields.name(each["name"], _COLLECTION, "letters, digits, _ and -")
        fields.unique(each["name"], name, (other.name for other in found))
        members = [_member(member, organizations) for member in each.items("members")]
        required = each.integer("required_peers", 0, 100, default=1)
        maximum = each.integer("max_peers", 0, 100, default=3)
        _reachable(item, members, required, maximum)
        endorsement = ""
        if "endorsement" in each.found:
            endorsement = policytext.check(each["endorsement"], organizations, "peer")
        ids = tuple(member.msp_id for member in members)
        found.append(Collection(name, ids, endorsement, required, maximum))
    return tuple(found)


def _reachable(item: Value, members: Sequence[Organization], required: int, maximum: int) -> None:
    """A value can reach as many other peers as it must, or nothing could ever be endorsed."""
    others = sum(member.peers for member in members) - 1
    if required > min(maximum, others):
        raise item.fail(
            f"{required} other peers must hold each value, but at most "
            f"{max(0, min(maximum, others))} are there",
            "lower required_peers or add members",
        )


def _member(value: Value, organizations: Sequence[Organization]) -> Organization:
    for organization in organizations:
        if organization.name == value.text():
            return organization
    known = ", ".join(organization.name for organization in organizations)
    raise value.fail(f"{value.text()!r} is no organisation", f"known: {known}")
