# SPDX-License-Identifier: Apache-2.0
"""A topology as text that the reader takes back: `reader.parse(writer.text(t), ...) == t`.

The same topology is always the same text; what has its default is left out where that may be.
"""

import re
from collections.abc import Iterable, Iterator

import yaml

from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.definition import Collection
from pedchain_network.topology.model import Deployment, Limit, Ordering, Resources, Topology
from pedchain_network.topology.node import Package
from pedchain_network.topology.organization import Organization
from pedchain_network.topology.reader import SCHEMA

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[0-9]+(\.[0-9]+){3}")
_ANY_WIDTH = 1 << 30


def text(topology: Topology) -> str:
    """The whole file, with short comments."""
    return "\n".join(_lines(topology)) + "\n"


def _lines(topology: Topology) -> Iterator[str]:
    yield "# SPDX-License-Identifier: Apache-2.0"
    yield f"schema: {SCHEMA}"
    yield f"channel: {_text(topology.channel)}"
    yield f"domain: {_text(topology.domain)}                 # of the nodes' names"
    yield f"host: {_text(topology.host)}             # of organisations that name none"
    yield f"fabric: {_quoted(topology.fabric)}"
    if topology.dial_names:
        yield "dial_names: true            # nodes dial each other by name, as containers do"
    yield ""
    yield "organizations:              # each has 100 ports of its own from `ports` on"
    yield from (_organization(each, topology.host) for each in topology.organizations)
    yield ""
    yield "governance:                 # who may change the channel, and who agrees to chaincode"
    yield f"  admins: {_quoted(topology.governance.admins)}"
    yield f"  lifecycle: {_quoted(topology.governance.lifecycle)}"
    yield ""
    yield "ordering:                   # `faults` orderers may fail"
    yield from (f"  {name}: {value}" for name, value in _ordering(topology.ordering))
    yield ""
    yield "lifetimes:                  # of certificates"
    lifetimes = topology.lifetimes
    for name in ("authorities_days", "nodes_days", "users_days", "tls_days"):
        yield f"  {name}: {getattr(lifetimes, name)}"
    yield ""
    yield "resources:                  # of containers"
    yield from _resources(topology.resources)
    yield ""
    yield from _chaincode(topology)
    yield ""
    yield "definitions:" if topology.deployments else "definitions: []"
    for deployment in topology.deployments:
        yield from _definition(deployment, topology.organizations)


def _organization(each: Organization, host: str) -> str:
    found = [("name", _text(each.name)), ("ports", str(each.ports.base))]
    if each.peers != 1:
        found.append(("peers", str(each.peers)))
    if not each.orderer:
        found.append(("orderer", "false"))
    if each.host != host:
        found.append(("host", _text(each.host)))
    if each.listen != each.host:
        found.append(("listen", _text(each.listen)))
    if each.own_ca:
        found.append(("own_ca", "true"))
    return f"  - {_mapping(found)}"


def _ordering(ordering: Ordering) -> Iterator[tuple[str, object]]:
    batch = ordering.batch
    yield "consensus", ordering.consensus
    yield "faults", ordering.faults
    yield "batch_interval_ms", batch.interval_ms
    yield "batch_messages", batch.messages
    yield "batch_preferred_bytes", batch.preferred_bytes
    yield "batch_bytes", batch.absolute_bytes
    if ordering.consensus is Consensus.RAFT:
        raft = ordering.raft
        yield "tick_ms", raft.tick_ms
        yield "election_ticks", raft.election_ticks
        yield "heartbeat_ticks", raft.heartbeat_ticks
        yield "inflight_blocks", raft.inflight_blocks
        yield "snapshot_bytes", raft.snapshot_bytes
        return
    timers = ordering.timers
    yield "forward_ms", timers.forward_ms
    yield "complain_ms", timers.complain_ms
    yield "auto_remove_ms", timers.auto_remove_ms
    yield "heartbeat_ms", timers.heartbeat_ms
    yield "view_change_ms", timers.view_change_ms
    yield "resend_ms", timers.resend_ms
    yield "collect_ms", timers.collect_ms


def _resources(resources: Resources) -> Iterator[str]:
    kinds: tuple[tuple[str, Limit], ...] = (
        ("peer", resources.peer),
        ("orderer", resources.orderer),
        ("chaincode", resources.chaincode),
    )
    for kind, limit in kinds:
        yield f"  {kind}: {{millicpus: {limit.millicpus}, memory_mb: {limit.memory_mb}}}"


def _chaincode(topology: Topology) -> Iterator[str]:
    chaincode = topology.chaincode
    yield "chaincode:"
    yield f"  command: {_list(map(_text, chaincode.command))}"
    yield f"  probe: {_text(chaincode.probe)}   # answered by every contract, writes nothing"
    plain = all(
        each == Package(each.label, each.label, position)
        for position, each in enumerate(chaincode.packages)
    )
    if plain:
        yield f"  packages: {_list(_text(each.label) for each in chaincode.packages)}"
        return
    yield "  packages:                 # those of one generation share a process"
    for each in chaincode.packages:
        found = (
            ("label", _text(each.label)),
            ("contract", _text(each.contract)),
            ("slot", str(each.slot)),
            ("generation", str(each.generation)),
        )
        yield f"    - {_mapping(found)}"


def _definition(deployment: Deployment, organizations: Iterable[Organization]) -> Iterator[str]:
    definition = deployment.definition
    yield f"  - name: {_text(definition.name)}"
    yield f"    package: {_text(deployment.package)}"
    yield f"    version: {_quoted(definition.version)}"
    yield f"    sequence: {definition.sequence}"
    yield f"    endorsement: {_quoted(definition.endorsement)}"
    if definition.collections:
        yield "    collections:"
        names = {each.msp_id: each.name for each in organizations}
        for collection in definition.collections:
            yield f"      - {_collection(collection, names)}"


def _collection(collection: Collection, names: dict[str, str]) -> str:
    found = [
        ("name", _text(collection.name)),
        ("members", _list(_text(names[each]) for each in collection.members)),
        ("required_peers", str(collection.required_peers)),
        ("max_peers", str(collection.max_peers)),
    ]
    if collection.endorsement:
        found.append(("endorsement", _quoted(collection.endorsement)))
    return _mapping(found)


def _mapping(found: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in found) + "}"


def _list(found: Iterable[str]) -> str:
    return "[" + ", ".join(found) + "]"


def _text(value: str) -> str:
    """A text without quotes where YAML takes it for a text: `no` is none, nor is `12`."""
    if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return _quoted(value)


def _quoted(value: str) -> str:
    return str(yaml.safe_dump(value, default_style='"', width=_ANY_WIDTH)).rstrip("\n")
