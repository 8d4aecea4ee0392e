# SPDX-License-Identifier: Apache-2.0
"""The channel's configuration as people read it: `channel show`, and both sides of a change."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import consensus
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.edit import consenters, ordering
from pedchain_fabric.admin.edit.draft import Draft
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network.channel import quorum
from pedchain_network.channel.agreement import GOVERNANCE, rule


@dataclass(frozen=True, slots=True)
class Organization:
    """One member: its orderers' endpoints (none: it has peers only) and its anchor peers."""

    name: str
    msp_id: str
    endpoints: tuple[str, ...]
    anchor_peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """What the channel's members agreed on; `sequence` counts the changes."""

    channel: str
    sequence: int
    consensus: str
    organizations: tuple[Organization, ...]
    consenters: tuple[str, ...]
    quorum: str
    batch: dict[str, int]
    timers: dict[str, int]
    policies: dict[str, str]
    capabilities: dict[str, str]

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """As text."""
        yield f"channel {self.channel}: configuration {self.sequence}, {self.consensus}"
        for each in self.organizations:
            orders = f"orderers {', '.join(each.endpoints)}" if each.endpoints else "peers only"
            anchors = ", ".join(each.anchor_peers) or "none"
            yield f"  {each.name} ({each.msp_id}): {orders}; anchor peers {anchors}"
        yield f"consenters {', '.join(self.consenters)}"
        yield f"  {self.quorum}"
        yield f"batch {_pairs(self.batch)}"
        yield f"timers {_pairs(self.timers)}"
        for name, text in self.policies.items():
            yield f"{name} {text}"
        yield f"capabilities {_pairs(self.capabilities)}"


def of(config: ChannelConfig) -> Channel:
    """Read a configuration. Raises `EditRefused` for an ordering service unknown here."""
    kind = consensus_of(config.config)
    orderers = consenters.of(config.config)
    return Channel(
        channel=config.channel_id,
        sequence=config.sequence,
        consensus=kind.value,
        organizations=_organizations(config),
        consenters=tuple(f"{each.host}:{each.port}" for each in orderers),
        quorum=quorum.advice(kind, len(orderers), len(orderers)),
        batch=asdict(ordering.batch(config.config)),
        timers=_timers(config, kind),
        policies={name: rule(config, path) for name, path in GOVERNANCE.items()},
        capabilities={
            "channel": ", ".join(sorted(config.capabilities)),
            "orderer": ", ".join(sorted(config.orderer_capabilities)),
            "application": ", ".join(sorted(config.application_capabilities)),
        },
    )


def consensus_of(config: Config) -> Consensus:
    """How the channel's orderers agree. Raises `EditRefused` for a way unknown here."""
    return consensus.kind(Draft(config).orderer)


def _organizations(config: ChannelConfig) -> tuple[Organization, ...]:
    members = {**config.orderer_orgs, **config.application_orgs}
    return tuple(
        Organization(
            name=name,
            msp_id=each.msp_id,
            endpoints=config.orderer_orgs[name].endpoints if name in config.orderer_orgs else (),
            anchor_peers=tuple(f"{host}:{port}" for host, port in each.anchor_peers),
        )
        for name, each in sorted(members.items())
    )


def _timers(config: ChannelConfig, kind: Consensus) -> dict[str, int]:
    if kind is Consensus.RAFT:
        return asdict(ordering.raft_timers(config.config))
    return asdict(ordering.timers(config.config))


def _pairs(values: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
