# SPDX-License-Identifier: Apache-2.0
"""Are these endorsements enough? (Fabric core/policy/application.go)"""

from collections.abc import Sequence
from functools import lru_cache

from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, SignaturePolicyEnvelope
from fabric_protos.common.policies_pb2 import Policy as PolicyMessage
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.embedded.ledger.limits import CACHED_IDENTITIES
from pedchain_fabric.embedded.ledger.verifier import Verifier
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.policytree import ImplicitMetaRule, NoSuchPolicy


class PolicyEvaluator:
    """Evaluates application policies under one channel configuration.

    A policy that cannot be read, or names no policy of the channel, is not satisfied.
    """

    def __init__(self, config: ChannelConfig, verifier: Verifier) -> None:
        self._config = config
        self._verifier = verifier
        # Whether given identities suffice never changes under one configuration.
        self._suffice = lru_cache(CACHED_IDENTITIES)(self._evaluate)

    def satisfied(self, application_policy: bytes, signed: Sequence[SignedData]) -> bool:
        """Whether these signatures satisfy a serialized ApplicationPolicy."""
        return self._suffice(application_policy, tuple(self._verifier.signers(signed)))

    def signature_policy_satisfied(self, rule: bytes, signed: Sequence[SignedData]) -> bool:
        """Whether these signatures satisfy a serialized SignaturePolicyEnvelope."""
        try:
            envelope = parse(SignaturePolicyEnvelope, rule)
        except WireError:
            return False
        return self.satisfied(serialize(ApplicationPolicy(signature_policy=envelope)), signed)

    def _evaluate(self, application_policy: bytes, identities: tuple[Identity, ...]) -> bool:
        try:
            message = parse(ApplicationPolicy, application_policy)
            kind = message.WhichOneof("Type")
            if kind == "signature_policy":
                envelope = message.signature_policy
                return policy.evaluate(envelope, identities, self._verifier.msps.satisfies)
            if kind == "channel_config_policy_reference":
                reference = self._config.policy(message.channel_config_policy_reference)
                return reference.satisfied_by_identities(identities)
        except WireError:
            return False
        return False


def shortfall(config: ChannelConfig, path: str, identities: Sequence[Identity]) -> str:
    """Why a channel's policy is not satisfied, in Fabric's words; empty if it is."""
    rule = config.policy(path)
    if isinstance(rule, NoSuchPolicy):
        return f"no such policy: '{path}'"
    if rule.satisfied_by_identities(identities):
        return ""
    if not isinstance(rule, ImplicitMetaRule):
        return "signature set did not satisfy policy"
    satisfied = sum(part.satisfied_by_identities(identities) for part in rule.parts)
    return (
        f"implicit policy evaluation failed - {satisfied} sub-policies were satisfied, but this "
        f"policy requires {rule.needed} of the '{_sub_policy(config, path)}' sub-policies "
        "to be satisfied"
    )


def _sub_policy(config: ChannelConfig, path: str) -> str:
    """The name an implicit policy asks for one level below."""
    *groups, name = path.removeprefix("/Channel/").split("/")
    group = config.config.channel_group
    for step in groups:
        group = group.groups[step]
    message = group.policies[name].policy
    if message.type != PolicyMessage.IMPLICIT_META:
        return name
    return parse(ImplicitMetaPolicy, message.value).sub_policy
