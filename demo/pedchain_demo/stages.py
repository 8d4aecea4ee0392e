# SPDX-License-Identifier: Apache-2.0
"""The main job, stage by stage: network, street, registration, readings, certificates, audit."""

import json
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from pedchain_demo.commands import background, objects, run
from pedchain_demo.errors import DemoError
from pedchain_demo.progress import Progress

DISTRICTS = ("DistrictA", "DistrictB")
HEALTHY_S = 20.0
#: Days posted from one closing to the next, by the most days of a demo.
DAYS_PER_CLOSING = {7: 1, 60: 3}
WEEK = 7


@dataclass(slots=True)
class Demo:
    """Where everything lies, and what was seen on the way."""

    runtime: str
    days: int
    folder: Path
    progress: Progress
    urls: dict[str, str] = field(default_factory=dict)
    street: dict[str, Any] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def network(self) -> Path:
        """The network's state directory."""
        return self.folder / "network"

    def profile(self, organization: str) -> Path:
        """An organisation's connection profile."""
        return self.network / "profiles" / f"{organization}.json"

    def agent(self, district: str) -> Path:
        """The configuration of a district's agents."""
        return self.folder / "street" / district / "agent.toml"


@contextmanager
def network(demo: Demo) -> Iterator[None]:
    """A fresh consortium, down again at the end whatever happens."""
    state = ("--state", str(demo.network))
    if demo.network.exists():
        run("ped-network", "down", *state)
    shutil.rmtree(demo.folder, ignore_errors=True)
    demo.folder.mkdir(parents=True)
    try:
        run("ped-network", "up", "--runtime", demo.runtime, *state, line=demo.progress)
        yield
    finally:
        run("ped-network", "down", *state)


def make_street(demo: Demo) -> None:
    """Homes, their meters' registers, keys and registration documents."""
    gateways = [f"--gateway={district}={url}" for district, url in demo.urls.items()]
    out = str(demo.folder / "street")
    demo.street = objects("emsagent", "street", "--out", out, "--days", str(demo.days), *gateways)[
        0
    ]
    demo.progress(
        f"street of {demo.street['sites']} homes, {demo.street['devices']} meters with a key each, "
        f"{len(demo.street['days'])} days of registers"
    )


def register(demo: Demo) -> None:
    """The DSO puts districts, calendars, factors, sites, points and devices on the ledger."""
    file = str(demo.folder / "street" / "registration.json")
    run("ped-gateway", "register", file, "--profile", str(demo.profile("DSO")))
    demo.progress("districts, factors, sites, points and devices registered by the DSO")


@contextmanager
def gateways(demo: Demo) -> Iterator[None]:
    """Each district's gateway service; they come up while the street is made."""
    demo.urls = {district: f"http://127.0.0.1:{free_port()}" for district in DISTRICTS}
    with ExitStack() as stack:
        for district in DISTRICTS:
            config = demo.folder / f"gateway-{district}.toml"
            config.write_text(
                f'profile = "{demo.profile(district)}"\n'
                f'state = "{demo.folder / "gateway" / district}"\n'
                f'listen = "{demo.urls[district].removeprefix("http://")}"\n'
                f"[districts.{district}]\n"
            )
            log = demo.folder / f"gateway-{district}.log"
            stack.enter_context(background(log, "ped-gateway", "serve", "--config", str(config)))
        yield


def wait_healthy(url: str) -> None:
    deadline = time.monotonic() + HEALTHY_S
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx2.get(f"{url}/healthz", timeout=5)
            if answer.status_code == httpx2.codes.OK:
                return
            last = answer.text[:200]
        except httpx2.TransportError as error:
            last = str(error)
        time.sleep(0.05)
    raise DemoError(f"the gateway at {url} is not healthy: {last}")


def live(demo: Demo) -> None:
    """Agents of both districts post day after day; days that can be complete are certified."""
    for url in demo.urls.values():
        wait_healthy(url)
    demo.progress("gateways of both districts serve")
    with ThreadPoolExecutor(len(DISTRICTS)) as pool:
        list(pool.map(lambda district: one_district(demo, district), DISTRICTS))
    demo.progress(f"all {len(demo.street['days'])} days of both districts certified")


def one_district(demo: Demo, district: str) -> None:
    """Its agents post all days; meanwhile the days before those already posted are certified."""
    days = demo.street["days"]
    through = closings(days)
    faults = [
        f"--{kind}={name}:{day}"
        for kind in ("offline", "forge")
        for name, day in demo.street["faults"][kind].get(district, [])
    ]

    def posted(line: str) -> None:
        report = json.loads(line)
        demo.reports.append(report)
        if report["day"] in through:
            close(demo, district, through[report["day"]])

    span = ("--from", days[0], "--through", days[-1])
    run("emsagent", "simulate", "--config", str(demo.agent(district)), *span, *faults, line=posted)
    close(demo, district, days[-1])


def closings(days: Sequence[str]) -> dict[str, str]:
    """The posted days after which the days through the one before are certified."""
    step = next((step for most, step in DAYS_PER_CLOSING.items() if len(days) <= most), WEEK)
    return {days[at]: days[at - 1] for at in range(step - 1, len(days) - 1, step) if at}


def close(demo: Demo, district: str, through: str) -> None:
    """The district's operator seals, folds and certifies."""
    profile = str(demo.profile(district))
    span = ("--from", demo.street["days"][0], "--through", through)
    run("ped-gateway", "close", "--profile", profile, "--district", district, *span)
    demo.progress(f"{district} certified through {through}")


def certificates(demo: Demo) -> dict[str, list[dict[str, Any]]]:
    """All certificates, by HTTP from the gateways; each is also a file of the results."""
    found: dict[str, list[dict[str, Any]]] = {}
    folder = demo.folder / "certificates"
    folder.mkdir()
    for district, url in demo.urls.items():
        found[district] = list(pages(f"{url}/v1/districts/{district}/certificates"))
        for one in found[district]:
            text = json.dumps(one, indent=1, sort_keys=True)
            (folder / f"{district}-{one['day']}.json").write_text(text + "\n")
        for month in pages(f"{url}/v1/districts/{district}/months"):
            text = json.dumps(month, indent=1, sort_keys=True)
            (folder / f"{district}-{month['month']}.json").write_text(text + "\n")
    return found


def pages(url: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        answer = httpx2.get(url, params={"cursor": cursor}, timeout=30).raise_for_status().json()
        yield from answer["certificates"]
        cursor = answer["cursor"]


def audits(demo: Demo) -> Iterator[dict[str, Any]]:
    """The DSO's peer's ledger is copied; audits of the copy, and of one with one bit flipped."""
    ledger = demo.folder / "ledger"
    run("ped-audit", "fetch", str(ledger), "--profile", str(demo.profile("DSO")))
    demo.progress("ledger copied from the DSO's peer; the audit needs nothing else from here on")
    copy = tampered(ledger)
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(audit, (ledger, copy))
    shutil.rmtree(copy)


def audit(ledger: Path) -> dict[str, Any]:
    return objects("ped-audit", "verify", str(ledger), "--json", accept=(0, 1))[0]


def tampered(ledger: Path) -> Path:
    """A copy of the ledger in which one bit in the middle of one block is flipped."""
    copy = ledger.with_name("ledger-tampered")
    shutil.copytree(ledger, copy)
    blocks = sorted((copy / "blocks").iterdir())
    block = blocks[len(blocks) // 3]
    raw = bytearray(block.read_bytes())
    raw[len(raw) // 2] ^= 1
    block.write_bytes(raw)
    return copy


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
