# SPDX-License-Identifier: Apache-2.0
"""A channel's named policies, found by path (Fabric common/policies)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    SignaturePolicyEnvelope,
)
from fabric_protos.common.policies_pb2 import (
    Policy as PolicyMessage,
)

from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.limits import CONFIG_DEPTH_MAX
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.msp import Msps

ROOT: Final = "Channel"


class Policy(Protocol):
    """Something signatures satisfy or not."""

    def satisfied_by(self, claims: Iterable[tuple[bytes, bytes, bytes]]) -> bool:
        """Whether these (creator, message, signature) satisfy it."""
        ...

    def satisfied_by_identities(self, identities: Sequence[Identity]) -> bool:
        """The same for identities whose signatures were checked, each once (`Msps.signers`)."""
        ...


@dataclass(frozen=True, slots=True)
class SignatureRule:
    """A signature policy on this channel."""

    envelope: SignaturePolicyEnvelope
    msps: Msps

    def satisfied_by(self, claims: Iterable[tuple[bytes, bytes, bytes]]) -> bool:
        """Whether those who did sign satisfy it."""
        return self.satisfied_by_identities(self.msps.signers(claims))

    def satisfied_by_identities(self, identities: Sequence[Identity]) -> bool:
        """Whether these identities satisfy it."""
        return policy.evaluate(self.envelope, identities, self.msps.satisfies)


@dataclass(frozen=True, slots=True)
class ImplicitMetaRule:
    """So many of the policies of one name, one level below. Who signed counts in each."""

    needed: int
    parts: tuple[Policy, ...]
    msps: Msps

    def satisfied_by(self, claims: Iterable[tuple[bytes, bytes, bytes]]) -> bool:
        """Whether those who did sign satisfy enough parts."""
        return self.satisfied_by_identities(self.msps.signers(claims))

    def satisfied_by_identities(self, identities: Sequence[Identity]) -> bool:
        """Whether these identities satisfy enough parts."""
        satisfied = sum(part.satisfied_by_identities(identities) for part in self.parts)
        return satisfied >= self.needed


@dataclass(frozen=True, slots=True)
class NoSuchPolicy:
    """Stands for a path without policy: nobody satisfies it."""

    path: str

    def satisfied_by(self, claims: Iterable[tuple[bytes, bytes, bytes]]) -> bool:
        """Never."""
        return False

    def satisfied_by_identities(self, identities: Sequence[Identity]) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class PolicyTree:
    """The policies of a group, and the groups below it."""

    path: str
    policies: Mapping[str, Policy] = field(default_factory=dict)
    groups: Mapping[str, "PolicyTree"] = field(default_factory=dict)

    @classmethod
    def of(cls, group: ConfigGroup, msps: Msps, path: str = ROOT, depth: int = 1) -> "PolicyTree":
        """Read the policies of a configuration group and below.

        Raises `WireError` (`PolicyError`) if one cannot be understood.
        """
        if depth > CONFIG_DEPTH_MAX:
            raise PolicyError("the configuration is nested too deeply")
        groups = {
            name: cls.of(below, msps, f"{path}/{name}", depth + 1)
            for name, below in group.groups.items()
        }
        policies = {
            name: _compile(each.policy, groups, msps) for name, each in group.policies.items()
        }
        return cls(path, policies, groups)

    def find(self, path: str) -> Policy:
        """The policy at `path`: absolute (`/Channel/Application/Readers`), or relative to here."""
        prefix = f"/{self.path}/"
        if path.startswith("/") and not path.startswith(prefix):
            return NoSuchPolicy(path)
        *groups, name = path.removeprefix(prefix).split("/")
        tree: PolicyTree | None = self
        for group in groups:
            tree = tree.groups.get(group) if tree else None
        return (tree.policies.get(name) if tree else None) or NoSuchPolicy(path)


def _compile(message: PolicyMessage, groups: Mapping[str, PolicyTree], msps: Msps) -> Policy:
    if message.type == PolicyMessage.SIGNATURE:
        envelope = parse(SignaturePolicyEnvelope, message.value)
        policy.check(envelope)
        return SignatureRule(envelope, msps)
    if message.type == PolicyMessage.IMPLICIT_META:
        meta = parse(ImplicitMetaPolicy, message.value)
        parts = tuple(group.find(meta.sub_policy) for group in groups.values())
        return ImplicitMetaRule(policy.threshold(meta.rule, len(parts)), parts, msps)
    raise PolicyError(f"policy type {message.type} is unknown")
