# SPDX-License-Identifier: Apache-2.0
"""What the consortium agrees once about settlement, and who may call what.

    settlement/1 {schema, network, organizations: [MSP id], districts: {district: MSP id},
                  clearing: {id, key: {alg, spki}}}

The clearing operator is who holds the money that the tokens are claims on (rules K12). Beside it
stands `periods`, when each further period of debits began, UTC s: a debit is kept under its period,
which every call reads here, so that retention finds it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pedchain_chaincode.access import DSO, permit
from pedchain_chaincode.documents import Document, refusals
from pedchain_domain import fields
from pedchain_fabric.shim import Context, Refusal

ORGANIZATIONS: Final = 32


@dataclass(frozen=True, slots=True)
class Setup:
    """The agreed document."""

    network: str
    organizations: tuple[str, ...]
    districts: Mapping[str, str]
    clearing: Mapping[str, Any]
    periods: tuple[int, ...]

    @property
    def period(self) -> int:
        """The number of the period that debits are made in now."""
        return len(self.periods)

    @property
    def across(self) -> tuple[str, ...]:
        """Organisations that run no district: members of every district's `flex`."""
        operators = tuple(self.districts.values())
        return tuple(name for name in self.organizations if name not in operators)


def read(document: Document) -> Setup:
    """The setup of a document as written."""
    return Setup(
        document["network"],
        tuple(document["organizations"]),
        document["districts"],
        document["clearing"],
        tuple(document.get("periods", ())),
    )


def check(document: Document) -> None:
    """Refuse a document that does not say what it must."""
    with refusals():
        fields.check(document, _SHAPE)
    if DSO not in document["organizations"]:
        raise Refusal("malformed-document", "organizations")
    if any(one not in document["organizations"] for one in document["districts"].values()):
        raise Refusal("malformed-document", "districts")


def require(ctx: Context, setup: Setup, action: str) -> None:
    """Refuse `not-permitted` unless the client's organisation and role may carry this action, a
    submit method's name."""
    parties = {
        "dso": (DSO,),
        "districts": tuple(setup.districts.values()),
        "any": setup.organizations,
        "across": setup.across,
    }
    permit(ctx, action, parties)


def _organizations(value: object) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= ORGANIZATIONS:
        return False
    return all(map(fields.identifier, value)) and sorted(dict.fromkeys(value)) == value


def _districts(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= ORGANIZATIONS
        and all(fields.identifier(part) for pair in value.items() for part in pair)
    )


def _clearing(value: object) -> bool:
    if not isinstance(value, dict) or sorted(value) != ["id", "key"]:
        return False
    return fields.identifier(value["id"]) and fields.key(value["key"])


_SHAPE: Final[fields.Shape] = {
    "schema": fields.one_of("settlement/1"),
    "network": fields.identifier,
    "organizations": _organizations,
    "districts": _districts,
    "clearing": _clearing,
}
