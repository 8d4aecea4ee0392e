# SPDX-License-Identifier: Apache-2.0
"""Commands as they come, and orders in OpenADR 3's words: heard at once, judged as all others."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emsagent.config import GatewayConfig
from emsagent.consent import Ven
from emsagent.errors import UplinkError
from emsagent.following import Follower
from emsagent.openadr import OpenAdr, dispatches_of, report
from emsagent.streaming import events, listen
from emsagent.uplink import Uplink
from pedchain_domain import canonical
from pedchain_gateway.openadr import events as vtn
from tests.unit.emsagent.flexhome import START, dispatch
from tests.unit.emsagent.test_following import Gateway, follower

__all__ = ("follower",)
Make = Callable[..., Follower]


async def lines(*found: str) -> AsyncIterator[str]:
    for one in found:
        yield one


async def test_events_are_named_and_comments_are_none() -> None:
    said = ["retry: 2000", "", ": alive", "", "event: dispatch", "data: {}", "", "data: 1", ""]
    assert [one async for one in events(lines(*said))] == ["dispatch", "message"]
    with pytest.raises(UplinkError, match="too long"):
        [one async for one in events(lines("x" * 100_000))]


class Streaming(Gateway):
    """Also streams."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/commands"):
            return super().__call__(request)
        self.streams += 1
        if self.streams == 1:
            return httpx2.Response(503, headers={"retry-after": "1"})
        assert json.loads(request.content)["inquiry"]["document"]["site"] == "site-1"
        return httpx2.Response(200, text="retry: 2000\n\nid: 1\nevent: dispatch\ndata: {}\n\n")


async def test_a_stream_wakes_its_home_and_is_begun_again(follower: Make) -> None:
    home, gateway, wake = follower(), Streaming(), asyncio.Event()
    async with gateway.uplink as uplink:
        task = asyncio.create_task(listen(home, uplink, wake))
        async with asyncio.timeout(20):
            await wake.wait()
        task.cancel()
    assert gateway.streams >= 2


class Vtn:
    """An OpenADR 3 VTN with one event for each dispatch."""

    def __init__(self, papers: list[Any]) -> None:
        order = {"notice": START - 7_200, "product": "firm"}
        self.events = [vtn.event(order, "DistrictA", paper) for paper in papers]
        self.reports: list[Any] = []
        self.tokens = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/openadr3/auth/token":
            assert b"client_secret=s3cret" in request.content
            self.tokens += 1
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 3_600})
        assert request.headers["authorization"] == "Bearer t"
        if request.url.path == "/openadr3/events":
            skip = int(request.url.params["skip"])
            return httpx2.Response(200, json=self.events[skip : skip + 50])
        assert request.url.path == "/openadr3/reports"
        self.reports.append(vtn.read(request.content))
        return httpx2.Response(201, json={"id": "r"})

    @property
    def uplink(self) -> Uplink:
        there = GatewayConfig("DistrictA", "http://gateway", None)
        return Uplink(there, httpx2.MockTransport(self))


async def test_an_openadr_event_is_obeyed_and_answered(follower: Make, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    others = [dispatch(site=f"other-{at}", order=f"x-{at}") for at in range(60)]
    there = Vtn([*others, dispatch()])
    home = follower('openadr = { client = "ven-1", secret_file = "secret" }\n')
    assert home.consent.openadr == Ven("/openadr3", "ven-1", tmp_path / "secret")
    async with there.uplink as uplink:
        asking = OpenAdr(uplink, home.consent.openadr)
        await home.turn(asking, START - 3_600)
        await home.turn(asking, START - 3_600)
    assert [one.watts for one in home.promises.values()] == [-400]
    assert there.tokens == 1
    [told] = there.reports
    [answer] = vtn.said(told).answers
    assert (answer["document"]["order"], answer["document"]["answer"]) == ("o-1", "acknowledge")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"intervals": [{"payloads": [{"type": "SIMPLE", "values": [1]}]}]},
        {"intervals": [{"payloads": [{"type": "PED_DISPATCH", "values": ["{"]}]}]},
        {"intervals": [{"payloads": [{"type": "PED_DISPATCH", "values": ["[1]"]}]}]},
        {"intervals": 7},
    ],
)
def test_an_event_without_a_signed_dispatch_asks_for_nothing(event: Any) -> None:
    assert dispatches_of(event, "site-1") == []


def test_a_report_is_what_the_gateway_reads() -> None:
    paper = dispatch()
    told = vtn.read(canonical.encode(report("ven-1", "o-1", paper)))
    assert told.eventID == vtn.event_id(paper["document"])
