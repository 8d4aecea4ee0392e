# SPDX-License-Identifier: Apache-2.0
"""Six orders over the demo's two districts, up and down, one and both, followed by agents at their
gateways, settled, told to every home, and redone by the auditor. A month of it: tests/soak."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emsagent.config import GatewayConfig
from emsagent.consent import Ven
from emsagent.following import Follower
from emsagent.openadr import OpenAdr
from emsagent.streaming import listen
from emsagent.uplink import Uplink
from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_domain import canonical
from pedchain_domain.flexibility import papers
from pedchain_gateway.ledger.port import Refused
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.flexmonth import VEN, VEN_SECRET, A, B, Districts, Event, districts
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

pytestmark = pytest.mark.timeout(900)
DAYS = 11
EVENTS = [
    Event("o-1", 8, 18, {A: 6_000}, notice_hours=26),
    Event("o-2", 8, 12, {B: 6_000}, "up", notice_hours=20),
    Event("o-3", 9, 17, {A: 4_000, B: 6_000}, notice_hours=3),
    Event("o-4", 9, 20, {A: 4_000}, "up", 6, {"product": "best-effort", "penalty": 0}),
    Event("o-5", 10, 18, {B: 7_000}, more={"rule": "mean10"}, is_guaranteed=True),
    Event("o-6", 10, 14, {A: 4_000, B: 4_000}, "up", notice_hours=4),
]


@pytest.fixture(scope="module", params=RUNTIMES)
async def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    with make_network(request.param, tmp_path_factory.mktemp("agents")) as made:
        made.run("up")
        yield made


async def test_agents_follow_six_orders_and_the_auditor_redoes_them(
    consortium: Network, tmp_path: Path
) -> None:
    await lived_and_audited(consortium, tmp_path, EVENTS, DAYS)


async def lived_and_audited(
    consortium: Network, tmp_path: Path, events: list[Event], days: int
) -> list[dict[str, Any]]:
    """So many days with their orders, then the audit of all of it; the results."""
    async with districts(consortium, tmp_path, days) as made:
        await made.run(events, days, partial(opted_out_by_openadr, made, events[-1].name))
        await others_cannot_carry_an_order(made, events[2].name)
        results = await made.settle(events, days)
        told = await made.statements(events, tmp_path / "statements")
        for event in events:
            paid_as_promised(await made.flexibility("Aggregator").order(event.name), event)
        last = await made.flexibility("Aggregator").order(events[-1].name)
        assert last["reduced"]
    ordered = sum(2 * sum(event.parts.values()) for event in events)
    # Which homes are asked goes by their pseudonyms, and a dozen homes are noisy: no order is sure.
    assert sum(one["delivered_wh"] for one in results.values()) > ordered // 4
    for event in events:
        assert results[event.name]["pools"].keys() == event.parts.keys()
    assert sum(one["money"] for one in told) == sum(one["users"] for one in results.values())
    texts = sorted((tmp_path / "statements").glob("*.txt"))
    assert len(texts) == len(told) == len(sorted((tmp_path / "statements").glob("*.svg")))
    figures = verify(await collect(consortium.profile("DSO"), tmp_path / "ledger"))
    assert (figures.orders, figures.not_checked) == (len(events), [])
    assert figures.statements == len(told)
    return list(results.values())


def paid_as_promised(found: dict[str, Any], event: Event) -> None:
    """Guaranteed users have the price of all they contributed; a best effort locked nothing for
    penalties and paid none; a reduced order asked for less than was accepted."""
    result, order = found["result"], found["order"]
    parts = found["districts"].values()
    contributed = sum(one["contributed"] for one in parts)
    full = sum(event.parts.values()) * order["grain"] // 3_600
    assert found["guaranteed"] == event.is_guaranteed
    if event.is_guaranteed:
        assert contributed > 0
        assert result["users"] == contributed * order["price"] // 1_000
    if order["product"] == "best-effort":
        assert (found["collateral"], result["penalty"]) == (0, 0)
    if found["reduced"]:
        rest = sum(one["ordered"] for one in parts)
        assert 0 < rest < full
        assert result["delivered_wh"] <= rest * order["count"]


async def opted_out_by_openadr(made: Districts, name: str, event: Event) -> None:
    """Commands come as they are polled; an OpenADR 3 client of DistrictB reads the last order's
    events; one home opts out."""
    await streamed(made, min(event.parts))
    if event.name != name:
        return
    form = {"grant_type": "client_credentials", "client_id": VEN, "client_secret": VEN_SECRET}
    async with httpx2.AsyncClient(base_url=f"{made.urls[B]}/openadr3", timeout=60) as http:
        token = (await http.post("/auth/token", data=form)).json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        found: list[dict[str, Any]] = []
        while page := (await http.get("/events", params={"skip": len(found)})).json():
            found += page
        mine = [one for one in found if one["eventName"] == name]
        assert len({one["id"] for one in mine}) == len(mine) > 1
        setpoint, signed = mine[0]["intervals"][0]["payloads"]
        asked = json.loads(signed["values"][0])["document"]
        sign = -1 if event.direction == "down" else 1
        assert setpoint["values"] == [sign * asked["power_w"] / 1_000]
        home = next(one for one in made.followers(B) if one.consent.site == asked["site"])
        body = {"schema": "answer/1", "order": name, "answer": papers.OPT_OUT}
        paper = home._signed(body | home._named())
        payload = {"type": "PED_ANSWER", "values": [canonical.encode(paper).decode()]}
        resource = {"resourceName": "home", "intervals": [{"id": 0, "payloads": [payload]}]}
        report = {"eventID": mine[0]["id"], "clientName": VEN, "resources": [resource]}
        assert (await http.post("/reports", json=report)).status_code == 201
        made.silent.append(home)
    await made.reduce(event)
    second = json.loads(mine[1]["intervals"][0]["payloads"][1]["values"][0])["document"]["site"]
    other = next(one for one in made.followers(B) if one.consent.site == second)
    await heard_by_both_ways(made, name, other)


async def heard_by_both_ways(made: Districts, name: str, other: Follower) -> None:
    """An agent hears of the order as an OpenADR 3 client, and by the gateway's stream."""
    (made.folder / "ven.secret").write_text(VEN_SECRET)
    async with Uplink(GatewayConfig(B, made.urls[B], None)) as uplink:
        client = OpenAdr(uplink, Ven("/openadr3", VEN, made.folder / "ven.secret"))
        papers_ = await client.dispatches(other.inquiry())
        assert name in {one["document"]["order"] for one in papers_}
        assert {one["document"]["site"] for one in papers_} == {other.consent.site}
        wake = asyncio.Event()
        task = asyncio.create_task(listen(other, uplink, wake))
        try:
            await asyncio.wait_for(wake.wait(), 60)
        finally:
            task.cancel()


async def streamed(made: Districts, district: str) -> None:
    """A home that was asked hears as events what it is told when it polls, each once."""
    url = f"{made.urls[district]}/v1/districts/{district}/flexibility"
    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
        for home in made.followers(district):
            asked = {"inquiry": home.inquiry()}
            polled = (await http.post("/dispatches", json=asked)).json()["dispatches"]
            if polled:
                break
        told: list[Any] = []
        async with asyncio.timeout(60), http.stream("POST", "/commands", json=asked) as stream:
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                told += [json.loads(value)] if name == "data" else []
                if len(told) == len(polled):
                    break
    assert polled
    assert told == polled


async def others_cannot_carry_an_order(made: Districts, name: str) -> None:
    """A district's own gateway reads only its own `flex`: every step is refused there."""
    flex = made.flexibility(A)
    for step in ("FreezeOrder", "SettleDistrict", "PayDistrict"):
        with pytest.raises(Refused, match="not-permitted"):
            await asyncio.wait_for(flex._submit("settlement", step, name, B), 60)
    with pytest.raises(Refused, match="not-permitted"):
        await flex._submit("settlement", "FinishOrder", name)
