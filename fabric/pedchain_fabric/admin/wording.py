# SPDX-License-Identifier: Apache-2.0
"""Elements of a configuration in words: short, complete enough to sign for."""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from fabric_protos.common.configtx_pb2 import ConfigGroup, ConfigPolicy, ConfigValue
from fabric_protos.common.configuration_pb2 import Capabilities, OrdererAddresses, Orderers
from fabric_protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    Policy,
    SignaturePolicyEnvelope,
)
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal
from fabric_protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from fabric_protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata
from fabric_protos.orderer.smartbft.configuration_pb2 import Options
from fabric_protos.peer.configuration_pb2 import ACLs, AnchorPeers
from google.protobuf.message import Message

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import parse

Item: TypeAlias = ConfigGroup | ConfigValue | ConfigPolicy

_COMMA = ", "
_NOTHING = "nothing"
_NO_WORDS = "bytes with SHA-256 "


def element(name: str, item: Item) -> str:
    """The element of this name. What cannot be read is told by its digest."""
    if isinstance(item, ConfigGroup):
        held = item.values.get("MSP")
        return "" if held is None else element("MSP", held)
    content = item.policy.SerializeToString() if isinstance(item, ConfigPolicy) else item.value
    try:
        return rule(item) if isinstance(item, ConfigPolicy) else _value(name, item.value)
    except WireError:
        return _NO_WORDS + hashlib.sha256(content).hexdigest()


def difference(name: str, before: Item, after: Item) -> tuple[str, str]:
    """How they differ, in words: of lists only what does; where the words would be the same, who
    may change the element or its digest."""
    old, new = element(name, before), element(name, after)
    if before.mod_policy != after.mod_policy:
        return f"{old} (by {before.mod_policy})", f"{new} (by {after.mod_policy})"
    if old == new:
        return f"{old}, {_digest(before)}", f"{new}, {_digest(after)}"
    return (old, new) if isinstance(before, ConfigPolicy) else _only(old, new)


def _only(old: str, new: str) -> tuple[str, str]:
    """Of two lists what is not in both; a value may hold dozens of settings."""
    olds, news = old.split(_COMMA), new.split(_COMMA)
    before = [each for each in olds if each not in news]
    after = [each for each in news if each not in olds]
    rest = " (rest as it is)" if len(before) < len(olds) or len(after) < len(news) else ""
    return _COMMA.join(before) or _NOTHING, (_COMMA.join(after) or _NOTHING) + rest


def rule(item: ConfigPolicy) -> str:
    """A policy as people write it. Raises `WireError`."""
    if item.policy.type == Policy.IMPLICIT_META:
        meta = parse(ImplicitMetaPolicy, item.policy.value)
        return f"{ImplicitMetaPolicy.Rule.Name(meta.rule)} {meta.sub_policy}"
    envelope = parse(SignaturePolicyEnvelope, item.policy.value)
    if all(each.principal_classification == MSPPrincipal.ROLE for each in envelope.identities):
        return policy.format(envelope)
    return f"{envelope.rule.n_out_of.n} of {len(envelope.identities)} named certificates"


def _digest(item: Item) -> str:
    return hashlib.sha256(item.SerializeToString(deterministic=True)).hexdigest()[:16]


def _value(name: str, content: bytes) -> str:
    words = _WORDS.get(name)
    if words is None:
        return _NO_WORDS + hashlib.sha256(content).hexdigest()
    return words(content)


def _msp(content: bytes) -> str:
    msp = parse(FabricMSPConfig, parse(MSPConfig, content).config)
    kinds = {
        "root CA": msp.root_certs,
        "intermediate CA": msp.intermediate_certs,
        "TLS root CA": msp.tls_root_certs,
        "TLS intermediate CA": msp.tls_intermediate_certs,
        "revocation list": msp.revocation_list,
    }
    told = [
        f"{kind} {hashlib.sha256(each).hexdigest()[:16]}"
        for kind, contents in kinds.items()
        for each in contents
    ]
    return _COMMA.join([msp.name, *told])


def _anchors(content: bytes) -> str:
    return ", ".join(f"{e.host}:{e.port}" for e in parse(AnchorPeers, content).anchor_peers)


def _endpoints(content: bytes) -> str:
    return ", ".join(parse(OrdererAddresses, content).addresses)


def _capabilities(content: bytes) -> str:
    return ", ".join(sorted(parse(Capabilities, content).capabilities))


def _orderers(content: bytes) -> str:
    mapping = parse(Orderers, content).consenter_mapping
    return ", ".join(f"{e.id} {e.msp_id} {e.host}:{e.port}" for e in mapping)


def _consensus(content: bytes) -> str:
    consensus = parse(ConsensusType, content)
    if consensus.type != "etcdraft":
        return f"{consensus.type}{_COMMA}{_fields(parse(Options, consensus.metadata))}"
    metadata = parse(ConfigMetadata, consensus.metadata)
    told = [f"consenter {each.host}:{each.port}" for each in metadata.consenters]
    return _COMMA.join(["etcdraft", _fields(metadata.options), *told])


def _acls(content: bytes) -> str:
    acls = parse(ACLs, content).acls
    return ", ".join(f"{name}: {acls[name].policy_ref}" for name in sorted(acls))


def _fields(message: Message) -> str:
    return ", ".join(f"{field.name} {value}" for field, value in message.ListFields())


_WORDS: dict[str, Callable[[bytes], str]] = {
    "MSP": _msp,
    "AnchorPeers": _anchors,
    "Endpoints": _endpoints,
    "Capabilities": _capabilities,
    "Orderers": _orderers,
    "ConsensusType": _consensus,
    "ACLs": _acls,
    "BatchSize": lambda content: _fields(parse(BatchSize, content)),
    "BatchTimeout": lambda content: parse(BatchTimeout, content).timeout,
}
