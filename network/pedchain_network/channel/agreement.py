# SPDX-License-Identifier: Apache-2.0
"""Who must agree to an update of the channel's configuration, and who has not yet."""

from collections.abc import Iterable, Iterator

from fabric_protos.common.configtx_pb2 import ConfigGroup, ConfigPolicy
from fabric_protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope

from pedchain_fabric.admin import configupdate, wording
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.configvalue import ADMINS
from pedchain_fabric.admin.edit.governance import LIFECYCLE
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.messages import parse
from pedchain_network.channel.governance import names_in

ROOT = "Channel"
GOVERNANCE = {"admins": f"/{ROOT}/{ADMINS}", "lifecycle": LIFECYCLE}
"""The policies shown at every change: who changes the channel, who agrees to chaincode."""


_GOVERNING = {*GOVERNANCE.values(), f"/{ROOT}/Orderer/{ADMINS}", f"/{ROOT}/Application/{ADMINS}"}


def signed(update: SignedUpdate, admins: Iterable[SigningIdentity]) -> SignedUpdate:
    """With the agreement of all these."""
    for admin in admins:
        update = update.signed_by(admin)
    return update


def missing(current: ChannelConfig, update: SignedUpdate) -> tuple[str, ...]:
    """For each policy not satisfied yet, what it asks and who of those it names has not signed.

    Raises `EditRefused` if the update was made from another configuration.
    """
    signers = {each.msp_id for each in update.signers()}
    return tuple(
        f"{path} asks {rule(current, path)}; not signed by "
        f"{', '.join(sorted(_named(current, path) - signers)) or 'an administrator it accepts'}"
        for path in configupdate.lacking(current, update)
    )


def lines(current: ChannelConfig, update: SignedUpdate) -> Iterator[str]:
    """What an update changes, each with who must agree; then the policies that govern, which
    stand in several places and are told once.

    Raises `EditRefused` if it was made from another configuration.
    """
    for each in configupdate.review(current, update):
        if each.path not in _GOVERNING:
            yield str(each)
    config = configupdate.result(current, update)
    after = ChannelConfig.from_config(current.channel_id, config)
    for name, path in GOVERNANCE.items():
        before, then = rule(current, path), rule(after, path)
        yield f"{name}: {before}" + (f" -> {then}" if then != before else ", unchanged")


def rule(config: ChannelConfig, path: str) -> str:
    """A policy's text; empty if there is none at this path."""
    found = _find(config.config.channel_group, path)
    return "" if found is None else wording.rule(found)


def _named(config: ChannelConfig, path: str) -> set[str]:
    """MSP ids whose signature can count for a policy."""
    found = _find(config.config.channel_group, path)
    if found is None or found.policy.type != Policy.SIGNATURE:
        return {each.msp_id for each in config.application_orgs.values()}
    return set(names_in(parse(SignaturePolicyEnvelope, found.policy.value)))


def _find(root: ConfigGroup, path: str) -> ConfigPolicy | None:
    group = root
    *groups, name = path.removeprefix(f"/{ROOT}/").split("/")
    for each in groups:
        if each not in group.groups:
            return None
        group = group.groups[each]
    return group.policies.get(name)
