# SPDX-License-Identifier: Apache-2.0
"""The registry's state keys. Composite, so that no two documents can share one."""

from pedchain_fabric.shim import Stub


def district(stub: Stub, district_id: str) -> str:
    """A district's document."""
    return stub.create_composite_key("district", [district_id])


def calendar(stub: Stub, calendar_id: str) -> str:
    """A calendar's document."""
    return stub.create_composite_key("calendar", [calendar_id])


def factors(stub: Stub, version: str) -> str:
    """A factor version's document."""
    return stub.create_composite_key("factors", [version])


def proposal(stub: Stub, district_id: str) -> str:
    """A change of a district that waits for the districts to agree."""
    return stub.create_composite_key("proposal", [district_id])


def decision(stub: Stub, district_id: str, day: str) -> str:
    """A change that was agreed, and by whom, by the day it holds from."""
    return stub.create_composite_key("decision", [district_id, day])
