# SPDX-License-Identifier: Apache-2.0
"""Adopting a district from the registry: a copy in this definition's own state.

A read of another definition's state at every call would put its policy into every plan and stop
this district when another organisation is down; so versions are copied, with their hashes.
"""

import hashlib

from pedchain_chaincode.access import require
from pedchain_chaincode.documents import Document, checked, load, load_many, read, save
from pedchain_chaincode.metering import days, keys
from pedchain_chaincode.metering.guards import Fence
from pedchain_domain import canonical
from pedchain_fabric.shim import CalledChaincodeError, Context, Refusal

REGISTRY = "registry"
DEFAULT_NETWORK = "pedchain"
LAST_DAY = "9999-12-31"


async def adopt(ctx: Context, district_id: str, former: Document | None) -> None:
    """Copy the district, its calendars and its factor version; open period 1 the first time."""
    district = await _called(ctx, "district/1", "GetDistrict", district_id)
    operator = str(district["operator"])
    # Before anything is adopted the operator is whoever the document names: then only the DSO.
    require(ctx, "adopt", operator if former else None)
    if former is not None and former["district"] != district_id:
        raise Refusal("already-adopted")
    hashes = await _copy(ctx, district)
    versions = list(former["versions"]) if former else []
    if versions and versions[-1]["hashes"] == hashes:
        return
    # Never backwards: from the first day not closed yet, and not before the day agreed upon (V6).
    start = max(await days.first_open(ctx), district.get("from", "")) if versions else ""
    versions = [v for v in versions if v["from"] != start or not start]
    version = 1 + max([v["version"] for v in versions], default=0)
    versions.append({"from": start, "version": version, "hashes": hashes})
    await save(ctx.stub, keys.adopted(ctx.stub, version), district)
    await save(ctx.stub, keys.adoption(ctx.stub), {"district": district_id, "versions": versions})
    if former is None:
        await _open(ctx, district)


async def newest(ctx: Context) -> Document:
    """The district's document adopted last."""
    return await in_force(ctx, LAST_DAY)


async def in_force(ctx: Context, day: str) -> Document:
    """The district's document that holds on a day (rules V6: never backwards)."""
    adoption = await load(ctx.stub, keys.adoption(ctx.stub))
    if adoption is None:
        raise Refusal("not-adopted")
    held = [v for v in adoption["versions"] if v["from"] <= day]
    document = await load(ctx.stub, keys.adopted(ctx.stub, held[-1]["version"]))
    assert document is not None
    return document


async def calendar_rows(ctx: Context, district: Document) -> list[Document]:
    """All rows of the district's adopted calendars, in time order."""
    wanted = [keys.calendar(ctx.stub, name) for name in district["calendar"]]
    found = [c for c in await load_many(ctx.stub, wanted) if c is not None]
    rows = [row for calendar in found for row in calendar["rows"]]
    return sorted(rows, key=lambda row: int(row["start"]))


async def factors_of(ctx: Context, district: Document) -> Document:
    """The district's adopted factor version."""
    document = await load(ctx.stub, keys.factors(ctx.stub, district["factors"]))
    assert document is not None
    return document


async def _copy(ctx: Context, district: Document) -> dict[str, str]:
    """Copy what the district names; the hash of each document by what it is."""
    hashes = {"district": _hash(district)}
    for name in district["calendar"]:
        calendar = await _called(ctx, "calendar/1", "GetCalendar", name)
        hashes[f"calendar {name}"] = _hash(calendar)
        await save(ctx.stub, keys.calendar(ctx.stub, name), calendar)
    version = district["factors"]
    factors = await _called(ctx, "factors/1", "GetFactors", version)
    hashes[f"factors {version}"] = _hash(factors)
    await save(ctx.stub, keys.factors(ctx.stub, version), factors)
    return hashes


async def _called(ctx: Context, schema: str, function: str, name: str) -> Document:
    try:
        answer = await ctx.stub.invoke_chaincode(REGISTRY, function, name)
    except CalledChaincodeError as error:
        raise Refusal("not-in-registry", schema) from error
    return checked(read(answer), schema)


def _hash(document: Document) -> str:
    return hashlib.sha256(canonical.encode(document)).hexdigest()


async def _open(ctx: Context, district: Document) -> None:
    fence = Fence(
        period=1,
        district=district["id"],
        operator=district["operator"],
        network=district.get("network", DEFAULT_NETWORK),
        grain=district["grain"],
        shards=district["shards"],
    )
    await put_fence(ctx, fence)


async def put_fence(ctx: Context, fence: Fence) -> None:
    """Write the fence."""
    document: Document = {
        "period": fence.period,
        "district": fence.district,
        "operator": fence.operator,
        "network": fence.network,
        "grain": fence.grain,
        "shards": fence.shards,
    }
    await save(ctx.stub, keys.fence(ctx.stub), document)
