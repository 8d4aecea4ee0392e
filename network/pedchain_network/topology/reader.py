# SPDX-License-Identifier: Apache-2.0
"""Reading `consortium.yaml`: every mistake is named with its line and what to do."""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_fabric.wire.quorum import faults_tolerated
from pedchain_network import limits
from pedchain_network.topology import policytext, yamlnode
from pedchain_network.topology.model import (
    PORTS_PER_ORGANIZATION,
    Chaincode,
    Deployment,
    Governance,
    Organization,
    Ports,
    Topology,
)
from pedchain_network.topology.yamlnode import Fields, Value

SCHEMA = "consortium/1"

_ORGANIZATION = re.compile(r"[A-Za-z][A-Za-z0-9]{0,31}")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,248}")  # configtx/validator.go
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?")
_CHAINCODE = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")  # lifecycle/scc.go
_COLLECTION = re.compile(r"[A-Za-z0-9_-]+")
_LOOPBACK = ("127.0.0.1", "localhost")
_HOUR_MS = 3_600_000
_TIMES = (
    "batch_interval_ms",
    "forward_ms",
    "complain_ms",
    "heartbeat_ms",
    "view_change_ms",
    "resend_ms",
)


def reference() -> Path:
    """The reference consortium's file, installed with this package."""
    return Path(__file__).with_name("consortium.yaml")


def load(path: Path) -> Topology:
    """The topology in `path`. Raises `TopologyError`."""
    root = yamlnode.read(path)
    fields = root.fields(
        (
            "schema",
            "channel",
            "domain",
            "host",
            "organizations",
            "governance",
            "ordering",
            "chaincode",
            "definitions",
        )
    )
    if fields.text("schema") != SCHEMA:
        raise fields["schema"].fail("unknown schema", f"write {SCHEMA}")
    organizations = _organizations(fields["organizations"])
    chaincode = _chaincode(fields["chaincode"])
    batch, timers = _ordering(fields["ordering"], len(organizations))
    return Topology(
        channel=_name(fields["channel"], _CHANNEL, "lower-case letters, digits, '.' and '-'"),
        domain=_name(fields["domain"], _DOMAIN, "a DNS name such as ped"),
        host=_host(fields["host"]),
        organizations=organizations,
        governance=_governance(fields["governance"], organizations),
        batch=batch,
        timers=timers,
        chaincode=chaincode,
        deployments=_deployments(fields["definitions"], organizations, chaincode),
    )


def _organizations(value: Value) -> tuple[Organization, ...]:
    found: list[Organization] = []
    for item in value.items():
        fields = item.fields(("name", "ports"))
        name = _name(fields["name"], _ORGANIZATION, "letters and digits, a letter first")
        _unique(fields["name"], name.lower(), (each.name.lower() for each in found))
        base = fields.integer("ports", 1024, 65_536 - PORTS_PER_ORGANIZATION)
        found.append(Organization(name, Ports(base)))
    if not 1 <= len(found) <= limits.ORGANIZATIONS:
        raise value.fail("a consortium needs organisations", f"list 1 to {limits.ORGANIZATIONS}")
    _apart(value, found)
    return tuple(found)


def _apart(value: Value, organizations: Iterable[Organization]) -> None:
    for one, next_one in pairwise(sorted(organizations, key=lambda each: each.ports.base)):
        if next_one.ports.base - one.ports.base < PORTS_PER_ORGANIZATION:
            raise value.fail(
                f"ports of {one.name} and {next_one.name} overlap",
                f"keep {PORTS_PER_ORGANIZATION} ports between them",
            )


def _ordering(value: Value, orderers: int) -> tuple[Batch, Timers]:
    fields = value.fields(("faults", "batch_messages", *_TIMES))
    _quorum(fields["faults"], fields.integer("faults", 0, limits.ORGANIZATIONS), orderers)
    interval, forward, complain, heartbeat, view_change, resend = (
        fields.integer(name, 1, _HOUR_MS) for name in _TIMES
    )
    try:
        timers = Timers(
            forward_ms=forward,
            complain_ms=complain,
            heartbeat_ms=heartbeat,
            view_change_ms=view_change,
            resend_ms=resend,
        )
    except ValueError as error:
        raise value.fail(str(error), "order the times so") from error
    return Batch(interval_ms=interval, messages=fields.integer("batch_messages", 1, 10_000)), timers


def _quorum(value: Value, faults: int, orderers: int) -> None:
    """n >= 3f + 1: below that, f liars can make two halves disagree."""
    if faults > faults_tolerated(orderers):
        raise value.fail(
            f"{orderers} orderers tolerate {faults_tolerated(orderers)} faults, not {faults}",
            f"add organisations up to {3 * faults + 1}, or lower `faults`",
        )


def _governance(value: Value, organizations: tuple[Organization, ...]) -> Governance:
    fields = value.fields(("admins", "lifecycle"))
    return Governance(
        admins=policytext.check(fields["admins"], organizations, "admin"),
        lifecycle=policytext.check(fields["lifecycle"], organizations, "peer"),
    )


def _chaincode(value: Value) -> Chaincode:
    fields = value.fields(("command", "probe", "packages"))
    command = tuple(item.text() for item in fields.items("command"))
    if not command:
        raise fields["command"].fail("is empty", "name the program that serves the chaincode")
    packages: list[str] = []
    for item in fields.items("packages"):
        label = _name(item, _PACKAGE, "letters, digits and single _")
        _unique(item, label, packages)
        packages.append(label)
    if not 1 <= len(packages) <= limits.PACKAGES:
        raise fields["packages"].fail("needs packages", f"list 1 to {limits.PACKAGES}")
    return Chaincode(command, fields.text("probe"), tuple(packages))


def _deployments(
    value: Value, organizations: tuple[Organization, ...], chaincode: Chaincode
) -> tuple[Deployment, ...]:
    found: list[Deployment] = []
    for item in value.items():
        fields = item.fields(
            ("name", "package", "version", "sequence", "endorsement"), ("collections",)
        )
        name = _name(fields["name"], _CHAINCODE, "letters and digits joined by single - or _")
        _unique(fields["name"], name, (each.definition.name for each in found))
        if fields.text("package") not in chaincode.packages:
            known = ", ".join(chaincode.packages)
            raise fields["package"].fail("no such package", f"known: {known}")
        definition = Definition(
            name=name,
            version=fields.text("version"),
            sequence=fields.integer("sequence", 1, 1_000_000),
            endorsement=policytext.check(fields["endorsement"], organizations, "peer"),
            collections=_collections(fields, organizations),
        )
        found.append(Deployment(fields.text("package"), definition))
    return tuple(found)


def _collections(parent: Fields, organizations: tuple[Organization, ...]) -> tuple[Collection, ...]:
    found: list[Collection] = []
    for item in parent.items("collections"):
        fields = item.fields(("name", "members"), ("endorsement", "required_peers", "max_peers"))
        name = _name(fields["name"], _COLLECTION, "letters, digits, _ and -")
        _unique(fields["name"], name, (each.name for each in found))
        members = tuple(_member(member, organizations) for member in fields.items("members"))
        required = fields.integer("required_peers", 0, 100, default=1)
        maximum = fields.integer("max_peers", 0, 100, default=3)
        if not required <= min(maximum, len(members) - 1):
            raise item.fail(
                f"{required} other members must hold each value, but at most "
                f"{min(maximum, len(members) - 1)} are there",
                "lower required_peers or add members",
            )
        endorsement = ""
        if "endorsement" in fields.found:
            endorsement = policytext.check(fields["endorsement"], organizations, "peer")
        found.append(Collection(name, members, endorsement, required, maximum))
    return tuple(found)


def _member(value: Value, organizations: tuple[Organization, ...]) -> str:
    for organization in organizations:
        if organization.name == value.text():
            return organization.msp_id
    known = ", ".join(organization.name for organization in organizations)
    raise value.fail(f"{value.text()!r} is no organisation", f"known: {known}")


def _host(value: Value) -> str:
    host = value.text()
    if host not in _LOOPBACK:
        raise value.fail("only loopback is served", f"write {_LOOPBACK[0]}")
    return host


def _name(value: Value, pattern: re.Pattern[str], allowed: str) -> str:
    text = value.text()
    if not pattern.fullmatch(text):
        raise value.fail(f"{text!r} is no name we can use", f"use {allowed}")
    return text


def _unique(value: Value, name: str, others: Iterable[str]) -> None:
    if name in others:
        raise value.fail(f"{name!r} stands twice", "remove or rename one")
