# SPDX-License-Identifier: Apache-2.0
"""Fabric's own tools for configurations, and how they are told of a channel."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config, ConfigUpdate

from pedchain_fabric.admin.channel import Channel, Consensus, Consenter, Organization
from pedchain_fabric.admin.smartbft import options
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.durations import duration
from pedchain_fabric.wire.messages import serialize

_ROLES = b"NodeOUs:\n  Enable: true\n" + b"".join(
    f"  {role}OUIdentifier:\n    OrganizationalUnitIdentifier: {role.lower()}\n".encode()
    for role in ("Client", "Peer", "Admin", "Orderer")
)


def program(name: str) -> Path:
    """A program of the release in FABRIC_HOME, or where Fabric's images have it."""
    return Path(os.environ.get("FABRIC_HOME", "/opt/hyperledger/fabric")) / "bin" / name


def configtxgen(channel: Channel, folder: Path) -> Block:
    """The genesis block configtxgen makes of the same channel."""
    document = _configtx(channel, folder)
    (folder / "configtx.yaml").write_text(yaml.safe_dump(document))
    output = folder / "genesis.block"
    _run(
        folder, "configtxgen", "-configPath", str(folder), "-profile", "Channel",
        "-channelID", channel.channel_id, "-outputBlock", str(output),
    )  # fmt: skip
    return Block.FromString(output.read_bytes())


def compute_update(channel_id: str, current: Config, wanted: Config, folder: Path) -> ConfigUpdate:
    """The update configtxlator computes."""
    files = {name: folder / f"{name}.pb" for name in ("original", "updated", "update")}
    files["original"].write_bytes(serialize(current))
    files["updated"].write_bytes(serialize(wanted))
    _run(
        folder, "configtxlator", "compute_update", "--channel_id", channel_id,
        "--original", str(files["original"]), "--updated", str(files["updated"]),
        "--output", str(files["update"]),
    )  # fmt: skip
    return ConfigUpdate.FromString(files["update"].read_bytes())


def inspect(config: ChannelConfig, folder: Path) -> dict[str, Any]:
    """The configuration as configtxlator prints it."""
    stored, shown = folder / "config.pb", folder / "config.json"
    stored.write_bytes(serialize(config.config))
    _run(
        folder, "configtxlator", "proto_decode", "--type", "common.Config",
        "--input", str(stored), "--output", str(shown),
    )  # fmt: skip
    read: dict[str, Any] = json.loads(shown.read_text())
    return read


def _run(folder: Path, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(program(name)), *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def _configtx(channel: Channel, folder: Path) -> dict[str, Any]:
    capabilities = {"Channel": "V3_0", "Orderer": "V2_0", "Application": "V2_5"}
    level = {name: {"Capabilities": {text: True}} for name, text in capabilities.items()}
    meta = {
        "Readers": _meta("ANY Readers"),
        "Writers": _meta("ANY Writers"),
        "Admins": _signature(channel.admins),
    }
    application = {
        "Policies": meta
        | {
            "Endorsement": _meta("MAJORITY Endorsement"),
            "LifecycleEndorsement": _signature(channel.lifecycle_endorsement),
        },
        "Organizations": [_application(each, folder) for each in channel.organizations],
    }
    return {
        "Profiles": {
            "Channel": {
                "Policies": meta,
                **level["Channel"],
                "Orderer": {**_orderer(channel, meta, folder), **level["Orderer"]},
                "Application": {**application, **level["Application"]},
            }
        }
    }


def _orderer(channel: Channel, meta: dict[str, Any], folder: Path) -> dict[str, Any]:
    batch = channel.batch
    section = {
        "BatchTimeout": duration(batch.interval_ms),
        "BatchSize": {
            "MaxMessageCount": batch.messages,
            "AbsoluteMaxBytes": batch.absolute_bytes,
            "PreferredMaxBytes": batch.preferred_bytes,
        },
        "Policies": meta | {"BlockValidation": _meta("ANY Writers")},
        "Organizations": [_ordering(each, folder) for each in channel.organizations if each.orders],
    }
    return section | (_raft if channel.consensus is Consensus.RAFT else _smartbft)(channel, folder)


def _smartbft(channel: Channel, folder: Path) -> dict[str, Any]:
    written = options(channel.batch, channel.timers)
    named = {
        "".join(part.capitalize() for part in field.name.split("_")): value
        for field, value in written.ListFields()
    }
    return {
        "OrdererType": "BFT",
        "SmartBFT": named,
        "ConsenterMapping": [
            {
                "ID": each.id,
                "Host": each.host,
                "Port": each.port,
                "MSPID": each.msp_id,
                "Identity": _file(folder, f"{each.id}-identity.pem", each.identity),
                **_tls(each, folder),
            }
            for each in channel.consenters
        ],
    }


def _raft(channel: Channel, folder: Path) -> dict[str, Any]:
    timers = channel.raft
    return {
        "OrdererType": "etcdraft",
        "EtcdRaft": {
            "Consenters": [
                {"Host": each.host, "Port": each.port, **_tls(each, folder)}
                for each in channel.consenters
            ],
            "Options": {
                "TickInterval": duration(timers.tick_ms),
                "ElectionTick": timers.election_ticks,
                "HeartbeatTick": timers.heartbeat_ticks,
                "MaxInflightBlocks": timers.inflight_blocks,
                "SnapshotIntervalSize": timers.snapshot_bytes,
            },
        },
    }


def _tls(consenter: Consenter, folder: Path) -> dict[str, str]:
    name = _file(folder, f"{consenter.id}-tls.pem", consenter.tls_certificate)
    return {"ClientTLSCert": name, "ServerTLSCert": name}


def _ordering(organization: Organization, folder: Path) -> dict[str, Any]:
    roles = ("orderer", "admin")
    named = _organization(organization, folder, readers=roles, writers=roles)
    return {**named, "OrdererEndpoints": list(organization.orderer_endpoints)}


def _application(organization: Organization, folder: Path) -> dict[str, Any]:
    readers, writers = ("admin", "peer", "client"), ("admin", "client")
    named = _organization(organization, folder, readers=readers, writers=writers)
    named["Policies"]["Endorsement"] = _signature(_any(organization.msp_id, ("peer",)))
    anchors = [{"Host": host, "Port": port} for host, port in organization.anchor_peers]
    return {**named, "AnchorPeers": anchors}


def _organization(
    organization: Organization,
    folder: Path,
    *,
    readers: tuple[str, ...],
    writers: tuple[str, ...],
) -> dict[str, Any]:
    msp_id = organization.msp_id
    return {
        "Name": organization.name,
        "ID": msp_id,
        "MSPDir": str(_msp(organization, folder)),
        "Policies": {
            "Readers": _signature(_any(msp_id, readers)),
            "Writers": _signature(_any(msp_id, writers)),
            "Admins": _signature(_any(msp_id, ("admin",))),
        },
    }


def _msp(organization: Organization, folder: Path) -> Path:
    directory = folder / "msp" / organization.name
    kinds = {
        "cacerts": organization.root_certificates,
        "intermediatecerts": organization.intermediate_certificates,
        "tlscacerts": organization.tls_root_certificates,
        "crls": organization.revocation_lists,
    }
    for kind, contents in kinds.items():
        for number, content in enumerate(contents):
            _file(directory / kind, f"{number}.pem", content)
    _file(directory, "config.yaml", _ROLES)
    return directory


def _file(folder: Path, name: str, content: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return str(folder / name)


def _any(msp_id: str, roles: tuple[str, ...]) -> str:
    return "OR(" + ", ".join(f"'{msp_id}.{role}'" for role in roles) + ")"


def _meta(rule: str) -> dict[str, str]:
    return {"Type": "ImplicitMeta", "Rule": rule}


def _signature(rule: str) -> dict[str, str]:
    return {"Type": "Signature", "Rule": rule}
