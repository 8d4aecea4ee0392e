# SPDX-License-Identifier: Apache-2.0
"""The one table: each decoder, the errors it may raise, where a fuzzer begins."""

from collections.abc import Callable
from typing import Final

from pedchain_domain.reasons import DomainError
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed
from pedchain_fabric.embedded.chaincode.package import PackageRefused
from pedchain_fabric.embedded.config import ConfigError
from pedchain_fabric.embedded.http import BadRequest
from pedchain_fabric.embedded.ledger.errors import ConfigRefused
from pedchain_fabric.embedded.multipart import FormRefused
from pedchain_fabric.errors import IdentityError, PolicyError, WireError
from pedchain_fabric.shim import Refusal
from pedchain_network.errors import TopologyError
from tests.fuzz import conversations as talk
from tests.fuzz import decoders as d
from tests.fuzz import hostile, seeds
from tests.fuzz.model import Target

_CUT: Final = EOFError  # asyncio.IncompleteReadError: the connection ended in a request

_ALL: Final = (
    Target("ocmf", d.record, (DomainError,), lambda: [seeds.record()]),
    Target("device-key", d.device_key, (DomainError,), lambda: [seeds.device_key()]),
    Target("ledger-json", d.document, (DomainError,), seeds.documents, hostile.nested_json),
    Target("batch", d.packed, (DomainError,), lambda: [seeds.packed()], hostile.packed_zeros),
    Target(
        "times", d.times, (DomainError,), lambda: [b"2026-01-01", b"2026-01-01T12:00:00,000+0100 S"]
    ),
    Target("der", d.der_elements, (WireError,), lambda: [seeds.signature()]),
    Target(
        "policy-text",
        d.policy_text,
        (PolicyError,),
        lambda: seeds.POLICIES,
        hostile.nested_policies,
    ),
    Target("policy", d.policy_bytes, (WireError,), seeds.policies, hostile.nested_policy_bytes),
    Target("duration", d.duration, (ValueError,), lambda: [b"1m30s", b"1.5h", b"10ms", b"0"]),
    Target("composite-key", d.composite_key, (WireError,), lambda: [b"\0type\0a\0b\0"]),
    Target("channel-config", d.channel_config, (WireError,), lambda: seeds.blocks()[:1]),
    Target("block", d.block, (WireError,), seeds.blocks),
    Target("envelope", d.envelope, (WireError,), seeds.envelopes),
    Target("proposal", d.signed_proposal, (WireError,), lambda: [seeds.proposal()]),
    Target("rwset", d.read_write_set, (WireError,), seeds.rwsets),
    Target("private-rwset", d.private_read_write_set, (WireError,), seeds.private_rwsets),
    Target("identity", d.creator, (WireError, IdentityError), lambda: [seeds.creator()]),
    Target("certificate", d.certificate, (IdentityError,), lambda: [seeds.certificate_text()]),
    Target("certificate-der", d.certificate_body, (IdentityError,), lambda: [seeds.certificate()]),
    Target("private-key", d.private_key, (IdentityError,), seeds.keys),
    Target(
        "checkpoint", d.checkpoint, (WireError,), lambda: seeds.CHECKPOINTS, hostile.nested_json
    ),
    Target(
        "profile", d.connection_profile, (WireError,), lambda: [seeds.PROFILE], hostile.nested_json
    ),
    Target("topology", d.topology, (TopologyError,), seeds.topologies, hostile.nested_yaml),
    Target(
        "package",
        d.chaincode_package,
        (PackageRefused,),
        lambda: [seeds.package()],
        hostile.package_zeros,
    ),
    Target("package-files", d.package_files, (PackageRefused,), lambda: [seeds.package_files()]),
    Target("msp", d.msp, (WireError, IdentityError), seeds.msps),
    Target(
        "node-config", d.node_config, (ConfigError,), lambda: [seeds.NODES], hostile.nested_json
    ),
    Target("http", talk.http_request, (BadRequest, _CUT), lambda: seeds.REQUESTS),
    Target("form", d.form, (FormRefused,), lambda: [seeds.FORM]),
    Target("arguments", d.chaincode_arguments, (Refusal,), lambda: [seeds.ARGUMENTS]),
    Target("query-results", d.query_results, (WireError,), lambda: seeds.results()[1:]),
    Target("chaincode-messages", talk.chaincode_side, (WireError,), lambda: [seeds.said_by_peer()]),
    Target(
        "peer-messages",
        talk.peer_side,
        (ChaincodeFailed, WireError),
        lambda: [seeds.said_by_chaincode()],
    ),
    Target("transaction", talk.committed, (ConfigRefused,), lambda: [talk.payload()]),
    Target("config-update", talk.configured, (ConfigRefused,), lambda: [talk.update()]),
    Target("results", talk.results_committed, (), lambda: [talk.results()]),
)

TARGETS: Final = {each.name: each for each in _ALL}


def named(name: str) -> Callable[[bytes], None]:
    """What a fuzzer calls for the target of that name."""
    return TARGETS[name].try_
