# SPDX-License-Identifier: Apache-2.0
"""What a channel keeps through every change of its configuration.

Source: common/channelconfig/bundle.go (ValidateNew), orderer/common/msgprocessor/
maintenancefilter.go. Fabric can migrate from Raft to SmartBFT in maintenance mode; we cannot.
"""

from collections.abc import Mapping

from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.wire.channelconfig import ChannelConfig, Organization


def incompatible(before: ChannelConfig, wanted: Config) -> str:
    """Why the channel cannot become so; empty if it can. Raises WireError."""
    after = ChannelConfig.from_config(before.channel_id, wanted)
    if before.consensus_type != after.consensus_type:
        return (
            f"attempted to change consensus type from {before.consensus_type} to "
            f"{after.consensus_type}, but current config ConsensusType.State is not in "
            "maintenance mode"
        )
    if not after.application_orgs:
        return "current config has application section, but new config does not"
    return _moved("orderer", before.orderer_orgs, after.orderer_orgs) or _moved(
        "application", before.application_orgs, after.application_orgs
    )


def _moved(half: str, before: Mapping[str, Organization], after: Mapping[str, Organization]) -> str:
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name].msp_id, after[name].msp_id
        if old != new:
            return f"{half} org {name} attempted to change MSP ID from {old} to {new}"
    return ""
