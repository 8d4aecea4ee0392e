# SPDX-License-Identifier: Apache-2.0
"""Every error the agent raises on purpose.

AgentError                 never raised itself; `code` is a stable slug
├── ConfigError            the configuration file says something we cannot follow
├── KeyFileError           a device key that cannot be used (never shows key material)
├── StateRegressed         an outbox older than what this device already signed
├── OutboxBusy             another process works on this outbox
├── OutboxMissing          there is no outbox to look at
├── OutboxFull             no room: the reading was not accepted (never silently dropped)
├── DeviceBlocked          the device may not sign until a person has looked
├── DriverFault            the meter gave no value that can be trusted
├── NotObeyed              a dispatch that the home does not follow
├── PlanUnreadable         the memory of orders cannot be read
└── UplinkError            the gateway gave no usable answer
    └── Declined           the gateway, or the ledger behind it, said no
"""


class AgentError(Exception):
    """Root of the agent's errors. Never raised itself."""

    code = "agent"


class ConfigError(AgentError):
    """The configuration cannot be followed. `where` names the entry, as in `home[2].district`."""

    code = "config"

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class KeyFileError(AgentError):
    """A device key that cannot be used. Its text never shows key material."""

    code = "key-file"


class StateRegressed(AgentError):  # noqa: N818 - says what is so
    """The outbox is older than what this device has signed: a restored or copied state.

    Signing on would use counters a second time, so it is refused.
    """

    code = "state-regressed"


class OutboxBusy(AgentError):  # noqa: N818 - says what is so
    """Another process holds this outbox: two signers of one counter are never allowed."""

    code = "outbox-busy"


class OutboxMissing(AgentError):  # noqa: N818 - says what is so
    """There is no outbox to look at: this home has not started yet."""

    code = "outbox-missing"


class OutboxFull(AgentError):  # noqa: N818 - says what is so
    """The outbox is full of records nobody has settled. The oldest are kept, new ones refused.

    Registers are cumulative: the energy of what was refused is in the next reading accepted.
    """

    code = "outbox-full"


class DeviceBlocked(AgentError):  # noqa: N818 - says what is so
    """The ledger holds another payload at one of our counters: the device signs no more."""

    code = "device-blocked"


class DriverFault(AgentError):  # noqa: N818 - the term for a meter that gives no value
    """The meter gave no value that can be trusted. A fault is never turned into a number."""

    code = "driver-fault"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class NotObeyed(AgentError):  # noqa: N818 - says what is so
    """A dispatch that the home does not follow. `reason` is a stable slug."""

    code = "not-obeyed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlanUnreadable(AgentError):  # noqa: N818 - says what is so
    """The memory of orders cannot be read: nobody knows what the home has promised."""

    code = "plan-unreadable"


class UplinkError(AgentError):
    """The gateway could not be reached or gave no usable answer: the outcome is unknown.

    `retry_after_s` is what the gateway asked for, if it did.
    """

    code = "uplink"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Declined(UplinkError):  # noqa: N818 - says what is so
    """The gateway, or the ledger behind it, said no; `reason` is its slug."""

    code = "declined"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
