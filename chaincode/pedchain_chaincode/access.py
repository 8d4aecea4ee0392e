# SPDX-License-Identifier: Apache-2.0
"""Who may do what: one table, by organisation and by what its certificate attests.

The collection's policy and the definition's endorsement policy hold in any case; this table is
what every endorser checks of the *client* before it runs a method. docs/access.md is made from it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pedchain_fabric.shim import Context, Refusal

DSO: Final = "DSOMSP"
"""The system operator of the consortium: it alone admits districts and devices."""

ROLE_ATTRIBUTE: Final = "ped.role"
SERVICE_OUS: Final = ("client", "admin")

REGISTRAR, GATEWAY, AUDITOR = "registrar", "gateway", "auditor"
SYSTEM_OPERATOR, PROVIDER = "system_operator", "balance_service_provider"
ROLES: Final[Mapping[str, str]] = {
    REGISTRAR: "registers, changes and decides; files no readings and closes no day",
    GATEWAY: "files readings and closes days; registers nothing",
    SYSTEM_OPERATOR: "issues orders of demand response and takes them back",
    PROVIDER: "accepts orders of demand response",
    AUDITOR: "reads, and records what it found of a sample",
}
"""Values of the certificate's attribute `ped.role`, several with commas between; without one of
them a client may only read."""

PARTIES: Final[Mapping[str, str]] = {
    "dso": "the system operator",
    "operator": "the organisation that the district's document names",
    "districts": "the operator of any district that must agree",
    "any": "any organisation that settlement was agreed by",
    "across": "an organisation of settlement that runs no district: it reads each one's `flex`",
    "others": "any organisation but the one that the district's document names",
    "flex": "any member of the district's collection `flex`, which the peer sees to",
}


class Row(NamedTuple):
    """Which parties may take an action, and which roles their clients may have."""

    parties: tuple[str, ...]
    roles: tuple[str, ...]


_REGISTRY: Final = (REGISTRAR,)
_DAILY: Final = (GATEWAY,)
_ANY_SERVICE: Final = (REGISTRAR, GATEWAY)

TABLE: Final[Mapping[str, Row]] = {
    # registry: what all districts share
    "put_district": Row(("dso",), _REGISTRY),
    "put_calendar": Row(("dso",), _REGISTRY),
    "put_factors": Row(("dso",), _REGISTRY),
    "approve": Row(("districts",), _REGISTRY),
    # metering: sites, points, devices
    "adopt": Row(("dso", "operator"), _ANY_SERVICE),
    "register": Row(("dso",), _REGISTRY),
    "revise": Row(("dso",), _REGISTRY),
    "rotate_key": Row(("dso", "operator"), _ANY_SERVICE),
    "revoke_key": Row(("dso",), _REGISTRY),
    "suspend_device": Row(("dso", "operator"), _REGISTRY),
    "resume_device": Row(("dso",), _REGISTRY),
    "exchange_meter": Row(("dso",), _REGISTRY),
    # membership: people, shares, claims
    "enrol": Row(("operator",), _REGISTRY),
    "leave": Row(("operator",), _REGISTRY),
    "occupy": Row(("operator",), _REGISTRY),
    "vacate": Row(("operator",), _REGISTRY),
    "participate": Row(("dso",), _REGISTRY),
    "offer_claim": Row(("dso",), _REGISTRY),
    "withdraw_claim": Row(("dso",), _REGISTRY),
    "present_claim": Row(("dso", "operator"), _ANY_SERVICE),
    "settle_claim": Row(("dso", "operator"), _ANY_SERVICE),
    # metering: the day
    "submit_readings": Row(("dso", "operator"), _DAILY),
    "seal_period": Row(("dso", "operator"), _DAILY),
    "fold_shard": Row(("dso", "operator"), _DAILY),
    "close_day": Row(("dso", "operator"), _DAILY),
    # metering: what somebody else than the district found of it
    "record_sample": Row(("others",), (AUDITOR,)),
    # origin: accounts, certificates; who spends is proven by the debit's own signature
    "open_account": Row(("dso",), _REGISTRY),
    "put_foreign": Row(("dso",), _REGISTRY),
    "issue_day": Row(("dso", "operator"), _DAILY),
    "follow_day": Row(("dso", "operator"), _DAILY),
    "debit": Row(("dso", "operator"), _DAILY),
    # privacy: retention and data subjects
    "purge": Row(("dso", "operator"), _ANY_SERVICE),
    "erase": Row(("dso", "operator"), _REGISTRY),
    # demand response in a district: consent, shared days; steps of an order, called by settlement
    "offer_consent": Row(("dso",), _REGISTRY),
    "protect_site": Row(("dso",), _REGISTRY),
    **dict.fromkeys(
        ("enrol_site", "withdraw_site", "declare_site"), Row(("dso", "operator"), _ANY_SERVICE)
    ),
    "share_day": Row(("dso", "operator"), _DAILY),
    **dict.fromkeys(
        ("freeze_cells", "dispatch_sites", "answer_sites", "measure_cells", "correct_cells"),
        Row(("flex",), _DAILY),
    ),
    # demand response: orders; who spends for them is proven by the account's key
    "issue_order": Row(("any",), (SYSTEM_OPERATOR,)),
    "reduce_order": Row(("any",), (SYSTEM_OPERATOR,)),
    "revoke_order": Row(("any",), (SYSTEM_OPERATOR,)),
    "accept_order": Row(("any",), (PROVIDER,)),
    "lapse_order": Row(("any",), _DAILY),
    "answer_order": Row(("any",), _DAILY),
    **dict.fromkeys(
        (
            "freeze_order",
            "dispatch_order",
            "settle_district",
            "finish_order",
            "pay_district",
            "correct_district",
            "correct_order",
        ),
        Row(("across",), _DAILY),
    ),
    "pay_correction": Row(("across",), (SYSTEM_OPERATOR, PROVIDER)),
    # settlement: what is agreed; what is due by the ledger clock is anyone's to do
    "begin": Row(("dso",), _REGISTRY),
    "tick": Row(("any",), _DAILY),
    "register_prosumer": Row(("dso",), _REGISTRY),
    "put_zone": Row(("dso",), _REGISTRY),
    "put_days": Row(("dso",), _REGISTRY),
    "put_limits": Row(("dso",), _REGISTRY),
    "propose_reference": Row(("dso",), _REGISTRY),
    "approve_reference": Row(("districts",), _REGISTRY),
    "put_community": Row(("districts",), _REGISTRY),
    **dict.fromkeys(
        (
            "open_session",
            "close_session",
            "void_session",
            "clear",
            "attach_certificate",
            "measure",
            "settle",
            "purge_session",
            "purge_measured",
            "begin_period",
            "purge_debits",
            "share_hour",
            "correct_hour",
            "purge_hour",
        ),
        Row(("any",), _DAILY),
    ),
    # settlement: what an account's key signed; who carries it matters to nobody
    **dict.fromkeys(
        (
            "deposit",
            "safe_transfer_from",
            "safe_batch_transfer_from",
            "set_approval_for_all",
            "fold",
            "redeem",
            "set_limit",
            "rotate",
            "register_order",
            "amend_order",
            "cancel_order",
            "take",
            "join_community",
            "leave_community",
        ),
        Row(("any",), _DAILY),
    ),
}
"""Action (a submit method's name) -> who may take it."""


def require(ctx: Context, action: str, operator: str | None = None) -> None:
    """Refuse `not-permitted` unless the client's organisation and roles may take this action.

    `operator` is the organisation that stands for `operator` or `districts` here.
    """
    own = () if operator is None else (operator,)
    client = ctx.client.msp_id
    parties = {
        "dso": (DSO,),
        "operator": own,
        "districts": own,
        "flex": (client,),
        "others": () if client in own else (client,),
    }
    permit(ctx, action, parties)


def permit(ctx: Context, action: str, parties: Mapping[str, Sequence[str]]) -> None:
    """The same, with the organisations that each party of the action's row is."""
    row = TABLE[action]
    client = ctx.client
    allowed = any(client.msp_id in parties[party] for party in row.parties)
    serves = any(unit in SERVICE_OUS for unit in client.ous)
    roles = client.attributes.get(ROLE_ATTRIBUTE, "").split(",")
    if not allowed or not serves or not any(role in row.roles for role in roles):
        raise Refusal("not-permitted", action)
