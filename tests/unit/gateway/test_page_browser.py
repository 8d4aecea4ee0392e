# SPDX-License-Identifier: Apache-2.0
"""Pages in a browser: headless Chromium draws them, on a phone and dark too."""

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from pedchain_gateway.people import trial
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services
from tests.unit.gateway.pages import DAY, fill

CHROMIUM = shutil.which("chromium")
PHONE = (390, 844)
LIGHT, DARK = 1, 0
DEADLINE_S = 60

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium (Debian package of that name) is missing: not seen drawn"
)


@pytest.fixture
async def site(services: Services, ledger: object) -> AsyncIterator[str]:
    """The gateway on a port of its own."""
    fill(ledger)
    async with serving(create(services)) as address:
        yield address


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """An application's address."""
    settings = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(settings)
    task = asyncio.ensure_future(server.serve())
    async with asyncio.timeout(DEADLINE_S):
        while not server.started:  # noqa: ASYNC110 - uvicorn says so by a flag alone
            await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def drawn(address: str, file: Path, size: tuple[int, int], scheme: int = LIGHT) -> bytes:
    """A screenshot."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={file.parent / 'browser'}", f"--window-size={size[0]},{size[1]}",
        f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={file}", address,
    ]  # fmt: skip
    quiet = asyncio.subprocess.DEVNULL
    browser = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    async with asyncio.timeout(DEADLINE_S):
        await browser.wait()
    return await asyncio.to_thread(file.read_bytes)


async def test_a_browser_draws_a_district_light_and_dark(site: str, tmp_path: Path) -> None:
    """In the colours it asks for: the style sheet is let in by the policy, and understood."""
    address = f"{site}/page/districts/DistrictA?until=2026-11-22"
    light = await drawn(address, tmp_path / "light.png", PHONE)
    dark = await drawn(address, tmp_path / "dark.png", PHONE, DARK)
    assert struct.unpack(">II", light[16:24]) == PHONE
    assert light != dark


@pytest.mark.parametrize(
    "path",
    [f"/page/accounts/acc-1?day={DAY}", "/page/districts/DistrictA/statements/o2/h01"],
    ids=["sharing", "demand response"],
)
async def test_a_browser_draws_statements_of_who_entered(
    site: str, services: Services, tmp_path: Path, path: str
) -> None:
    """A browser without a token draws the refusal; the text of both is what the server sent."""
    roles = ("prosumer", "district")
    made = trial.token(services.config.state, "eve", roles, ("DistrictA",), ("acc-1",))
    refused = await drawn(site + path, tmp_path / "refused.png", PHONE)
    async with carrying(site, made) as proxy:
        shown = await drawn(proxy + path, tmp_path / "shown.png", PHONE)
    assert struct.unpack(">II", shown[16:24]) == PHONE
    assert shown != refused
    assert len(shown) > len(refused)


@asynccontextmanager
async def carrying(site: str, token: str) -> AsyncIterator[str]:
    """An address that hands on to the gateway, with the cookie a browser would have kept."""

    async def hand_on(scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        async with httpx2.AsyncClient(base_url=site, cookies={"pedchain": token}) as http:
            answer = await http.get(f"{scope['path']}?{query}")
        kept = ("content-type", "content-security-policy")
        headers = [(name.encode(), answer.headers[name].encode()) for name in kept]
        start = {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.content})

    async with serving(hand_on) as address:
        yield address
