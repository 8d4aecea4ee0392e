# SPDX-License-Identifier: Apache-2.0
"""Consent of a site: offered by the DSO's code, given by device and occupant, ended (rules D3).

    offer      {code: digest, used}          by site
    enrolled   {sites: {site: [{enrolment, occupancy, to}]}}   by cell
    protected  {sites: [site]}               sites that are never dispatched

An enrolment stands on the occupancy that held when it began: when the occupant moves out it ends.
"""

from pedchain_chaincode.documents import Document, load, read, refusals
from pedchain_chaincode.flexibility import limits, signing
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.limits import CODE_BYTES
from pedchain_chaincode.metering import keys, names
from pedchain_chaincode.metering.guards import Fence
from pedchain_chaincode.metering.vault import Vault
from pedchain_domain import fields, terms
from pedchain_domain.flexibility import enrolment as rules
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Refusal

_OFFER: fields.Shape = {"site": fields.identifier, "code": fields.digest}
_PROTECTION: fields.Shape = {"site": fields.identifier, "protected": fields.flag}
Entries = list[Document]


async def offer(ctx: Context) -> None:
    """The DSO expects a consent: transient `document` {site, code: digest}, `salt`."""
    body = await _site_document(ctx, _OFFER)
    store = await Store.begin(ctx)
    await store.save(("offer", body["site"]), {"code": body["code"], "used": False})


async def protect(ctx: Context) -> None:
    """Protect a site, or no longer: transient `document` {site, protected}, `salt`."""
    body = await _site_document(ctx, _PROTECTION)
    store = await Store.begin(ctx)
    sites = await protected(store)
    kept = [one for one in sites if one != body["site"]]
    after = sorted([*kept, body["site"]]) if body["protected"] else kept
    await store.save(("protected",), {"sites": after})


async def _site_document(ctx: Context, shape: fields.Shape) -> Document:
    body = read(ctx.stub.transient.get("document", b"null"))
    with refusals():
        fields.check(body, shape)
    name = await names.resolve(ctx, body["site"])
    await site(ctx, name)
    return {**body, "site": name}


async def enrol(ctx: Context, fence: Fence) -> None:
    """A site consents: transient `enrolment` (a paper of its device), the occupant's `code`."""
    paper = signing.paper(ctx, "enrolment")
    body, store = paper["document"], await Store.open(ctx)
    with refusals():
        fields.check(body, rules.SHAPE)
    entry = await site(ctx, body["site"])
    with refusals():
        rules.check(body, _shown(entry["document"], await protected(store)))
    await signing.by_devices(ctx, fence, [paper])
    await _measured_on(ctx, body["device"])
    await _confirmed(ctx, store, body["site"])
    cell = entry["cell"]
    sites = await enrolled(store, cell)
    former = sites.get(body["site"], [])
    if len(former) == limits.ENROLLED:
        raise Refusal("too-many")
    with refusals():
        rules.check_single(body, [{**one["enrolment"], "to": one["to"]} for one in former])
    begun = await _occupancy(ctx, body["site"], body["from"])
    fresh = {"enrolment": body, "occupancy": begun, "to": body["to"]}
    sites[body["site"]] = [*former, fresh]
    await store.save(("enrolled", cell), {"sites": sites})


async def withdraw(ctx: Context, fence: Fence) -> None:
    """A consent ends: transient `withdrawal`, a paper of the site's device."""
    paper = signing.paper(ctx, "withdrawal")
    body, store = paper["document"], await Store.open(ctx)
    with refusals():
        fields.check(body, papers.WITHDRAWAL)
    await signing.by_devices(ctx, fence, [paper])
    cell = (await site(ctx, body["site"]))["cell"]
    sites = await enrolled(store, cell)
    found = sites.get(body["site"], [])
    held = [one for one in found if _is_meant(one, body)]
    if not held:
        raise Refusal("wrong-state")
    sites[body["site"]] = [{**one, "to": body["to"]} if one in held else one for one in found]
    await store.save(("enrolled", cell), {"sites": sites})


def _is_meant(one: Document, body: Document) -> bool:
    """Whether a withdrawal ends this enrolment; an end that is said is never moved back."""
    is_open = one["to"] is None or body["to"] < one["to"]
    is_theirs = one["enrolment"]["provider"] == body["provider"]
    return bool(is_theirs and is_open and one["enrolment"]["from"] < body["to"])


async def protected(store: Store) -> list[str]:
    """Sites that are never dispatched."""
    found = await store.load("protected")
    return [] if found is None else list(found["sites"])


async def enrolled(store: Store, cell: int) -> dict[str, Entries]:
    """A cell's enrolments by site."""
    found = await store.load("enrolled", cell)
    return {} if found is None else dict(found["sites"])


def covers(entry: Document, start: int, end: int) -> bool:
    """Whether the aggregator may see [start, end) of the site: from the consented instant on, and
    before it where history was consented to, but nothing of whoever lived there earlier."""
    body = entry["enrolment"]
    begun = body["history"] or body["from"] <= start
    begun = begun and (entry["occupancy"] is None or entry["occupancy"] <= start)
    return bool(begun and (entry["to"] is None or end <= entry["to"]))


async def moved_out(vault: Vault, site: str, entries: Entries) -> Entries:
    """The enrolments of a site, each ended where the occupancy it stands on has ended."""
    found = await vault.load("occupancies", site)
    ends = {} if found is None else {one["from"]: one["to"] for one in found["terms"]}
    after = []
    for one in entries:
        end = ends.get(one["occupancy"])
        is_over = end is not None and (one["to"] is None or end < one["to"])
        after.append({**one, "to": end} if is_over else one)
    return after


async def _measured_on(ctx: Context, device: str) -> None:
    """Refuse `not-measured` for a consent by a sub-meter, `unknown-point`."""
    entry = await load(ctx.stub, keys.device(ctx.stub, device))
    name = "" if entry is None else entry["document"]["point"]
    point = await load(ctx.stub, keys.point(ctx.stub, name)) if name else None
    if point is None:
        raise Refusal("unknown-point")
    with refusals():
        rules.check_meter(point["document"]["kind"])


async def _confirmed(ctx: Context, store: Store, site: str) -> None:
    """Use up the code the DSO gave the occupant. Refuses `claim-refused`, whatever is wrong."""
    code = ctx.stub.transient.get("code", b"")
    offered = await store.load("offer", site)
    small = 0 < len(code) <= CODE_BYTES and code.isascii()
    if offered is None or offered["used"] or not small:
        raise Refusal("claim-refused")
    if not rules.confirms(site, code.decode(), offered["code"]):
        raise Refusal("claim-refused")
    await store.save(("offer", site), {**offered, "used": True})


async def _occupancy(ctx: Context, site: str, at: int) -> int | None:
    """Since when whoever lives there at the consent's beginning does; None where nobody is
    registered."""
    vault = await Vault.open(ctx)
    found = await vault.load("occupancies", site) if vault is not None else None
    held = [] if found is None else [one for one in found["terms"] if terms.holds(one, at)]
    return int(held[0]["from"]) if held else None


async def site(ctx: Context, name: str) -> Document:
    """The entry of a site, by its id. Refuses `unknown-site`."""
    entry = await load(ctx.stub, keys.site(ctx.stub, name))
    if entry is None:
        raise Refusal("unknown-site")
    return entry


def _shown(site: Document, protected_: list[str]) -> Document:
    return {**site, "protected": site["id"] in protected_}
