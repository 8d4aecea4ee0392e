# SPDX-License-Identifier: Apache-2.0
"""Who decides on a channel: its policies, and the level of its rules."""

from fabric_protos.common.configtx_pb2 import Config, ConfigPolicy

from pedchain_fabric.admin import configpolicy
from pedchain_fabric.admin.configgroup import capability
from pedchain_fabric.admin.configvalue import ADMINS, put, put_policy
from pedchain_fabric.admin.consensus import BLOCK_VALIDATION
from pedchain_fabric.admin.edit.draft import APPLICATION, ORDERER, Draft
from pedchain_fabric.admin.refusal import Reason, refuse_if

LIFECYCLE = "/Channel/Application/LifecycleEndorsement"


def set_admins(config: Config, text: str) -> Config:
    """Who may change the configuration, for the channel and both its halves. Raises
    `PolicyError`."""
    wanted = configpolicy.signature(text)
    for group in ("/Channel", f"/Channel/{ORDERER}", f"/Channel/{APPLICATION}"):
        config = set_policy(config, f"{group}/{ADMINS}", wanted)
    return config


def set_lifecycle_endorsement(config: Config, text: str) -> Config:
    """Who must agree to a chaincode's definition. Raises `PolicyError`."""
    return set_policy(config, LIFECYCLE, configpolicy.signature(text))


def set_policy(config: Config, path: str, wanted: ConfigPolicy) -> Config:
    """The policy at a path, changeable by whom it was. Raises `EditRefused`.

    `BlockValidation` follows from the consenters and is not set by hand.
    """
    draft = Draft(config)
    group, _, name = path.rpartition("/")
    text = f"{BLOCK_VALIDATION} follows from the consenters"
    refuse_if(name == BLOCK_VALIDATION, Reason.BLOCK_VALIDATION, text)
    put_policy(draft.group(group), name, wanted)
    return draft.config


def set_capability(config: Config, group: str, name: str) -> Config:
    """The level of rules of `/Channel` or one of its halves. All nodes must know it, and there
    is no way back. Raises `EditRefused`."""
    draft = Draft(config)
    put(draft.group(group), "Capabilities", capability(name))
    return draft.config
