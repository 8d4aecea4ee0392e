# SPDX-License-Identifier: Apache-2.0
"""Who still stands in the way of a definition's commit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.errors import AdminError


@dataclass(frozen=True, slots=True)
class Standing:
    """One organisation's own account: did it approve this definition, and is the package it
    approved it with installed on its peer."""

    approved: bool
    installed: bool


def missing(definition: Definition, standings: Mapping[str, Standing]) -> tuple[str, ...]:
    """What each organisation named in the definition's policies has yet to do, in words."""
    return tuple(
        f"{msp_id} {lack}"
        for msp_id in sorted(definition.organizations())
        for lack in _lacks(standings.get(msp_id))
    )


def _lacks(standing: Standing | None) -> Iterable[str]:
    if standing is None:
        yield "has not said"
        return
    if not standing.approved:
        yield "has not approved"
    if not standing.installed:
        yield "has not installed"


def require_ready(definition: Definition, standings: Mapping[str, Standing]) -> None:
    """Refuse a commit that would stop an organisation its policies rely on.

    Once committed, a peer without the approved package refuses every proposal for this name, and a
    policy that names its organisation can no longer be met. Raises `AdminError`.
    """
    lacks = missing(definition, standings)
    if lacks:
        name = f"{definition.name} sequence {definition.sequence}"
        raise AdminError("NOT_READY", f"{name} cannot be committed yet: {'; '.join(lacks)}")
