# SPDX-License-Identifier: Apache-2.0
"""Who may do what: one table, by organisation and by what its certificate attests.

The collection's policy and the definition's endorsement policy hold in any case; this table is
what every endorser checks of the *client* before it runs a method.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pedchain_fabric.shim import Context, Refusal

DSO: Final = "DSOMSP"
"""The system operator of the consortium: it alone admits districts and devices."""

ROLE_ATTRIBUTE: Final = "ped.role"
READ_ONLY_ROLES: Final = ("auditor",)
SERVICE_OUS: Final = ("client", "admin")

TABLE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "put_district": ("dso",),
        "put_calendar": ("dso",),
        "put_factors": ("dso",),
        "adopt": ("dso", "operator"),
        "register": ("dso",),
        "rotate_key": ("dso", "operator"),
        "revoke_key": ("dso",),
        "exchange_meter": ("dso",),
        "submit_readings": ("dso", "operator"),
        "seal_period": ("dso", "operator"),
        "fold_shard": ("dso", "operator"),
        "close_day": ("dso", "operator"),
    }
)
"""Action -> parties. `operator` is the organisation the district's document names."""


def require(ctx: Context, action: str, operator: str | None = None) -> None:
    """Refuse `not-permitted` unless the client's organisation and role may take this action."""
    parties = {"dso": DSO, "operator": operator}
    client = ctx.client
    allowed = any(parties[party] == client.msp_id for party in TABLE[action])
    role = client.attributes.get(ROLE_ATTRIBUTE)
    serves = any(unit in SERVICE_OUS for unit in client.ous)
    if not allowed or not serves or role in READ_ONLY_ROLES:
        raise Refusal("not-permitted", action)
