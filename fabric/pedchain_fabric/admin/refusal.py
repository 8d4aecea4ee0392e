# SPDX-License-Identifier: Apache-2.0
"""Why a change of a channel's configuration is refused before anybody is asked to sign it."""

from enum import StrEnum

from pedchain_fabric.errors import AdminError


class Reason(StrEnum):
    """What stands against the change."""

    BAD_VALUE = "BAD_VALUE"
    BLOCK_VALIDATION = "BLOCK_VALIDATION"
    DIFFERENT_UPDATE = "DIFFERENT_UPDATE"
    DUPLICATE = "DUPLICATE"
    LAST_ORGANIZATION = "LAST_ORGANIZATION"
    NO_CHANGE = "NO_CHANGE"
    NOT_ORDERING = "NOT_ORDERING"
    ONE_CONSENTER_AT_A_TIME = "ONE_CONSENTER_AT_A_TIME"
    OWNS_CONSENTERS = "OWNS_CONSENTERS"
    STALE = "STALE"
    STILL_NAMED = "STILL_NAMED"
    TOO_FEW_CONSENTERS = "TOO_FEW_CONSENTERS"
    UNKNOWN_CONSENTER = "UNKNOWN_CONSENTER"
    UNKNOWN_ORGANIZATION = "UNKNOWN_ORGANIZATION"


class EditRefused(AdminError):  # noqa: N818 - it names an answer, not a fault
    """The configuration must not be changed so; `status` is a `Reason`."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(reason, text)
        self.reason = reason


def refuse_if(condition: object, reason: Reason, text: str) -> None:
    """Raise `EditRefused` if the condition holds."""
    if condition:
        raise EditRefused(reason, text)
