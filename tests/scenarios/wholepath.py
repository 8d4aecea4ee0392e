# SPDX-License-Identifier: Apache-2.0
"""Agent, gateway and embedded network as processes, and what must hold however they are killed.

DistrictA and DistrictB are the same homes: B is posted undisturbed and is the twin that A's
certificates are held against.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from emsagent.street import lay_out
from pedchain_audit.batches import parts
from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_domain.sim import citylearn
from pedchain_domain.sim import street as sim
from pedchain_domain.sim.weather import DAY, HOUR
from pedchain_fabric.client import profile
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.block import validation_codes
from pedchain_network.runtimes.process import Process
from pedchain_network.state import State
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

BIN = Path(sys.executable).parent
AGENT = Path(__file__).with_name("hourly_agent.py")
A, B = sim.DISTRICTS
#: Short, for here nobody else could still commit what a killed network has forgotten.
RESUBMIT_AFTER_S = 2
READY_S = 60.0

Record = tuple[str, int, bytes]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = READY_S) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


def twin_street(
    end: int, days: int, homes: int, districts: Sequence[str] = sim.DISTRICTS
) -> sim.Street:
    """The first measured homes, once in each district."""
    start = end - days * DAY
    first = list(sim.measured_homes(start, end))[:homes]
    whole = sim.build(end, days)
    twins = tuple(_moved(home, district) for district in districts for home in first)
    carbon = tuple(
        citylearn.extract().carbon_ug_per_wh[citylearn.index_at(hour, end)]
        for hour in range(start, end, HOUR)
    )
    return sim.Street(start, end, twins, (), whole.mishaps, carbon)


def _moved(home: sim.Home, district: str) -> sim.Home:
    short = district[-1].lower()
    meters = tuple(
        replace(each, id=f"{short}-{each.id}", point=f"{short}-{each.point}")
        for each in home.meters
    )
    return replace(home, id=f"{short}-{home.id}", district=district, meters=meters)


@dataclass
class Service:
    """One process that is started, killed, and started again."""

    command: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it if it does not run."""
        if self.process is not None and self.process.poll() is None:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **environment}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def finish(self, seconds: float = READY_S) -> int:
        """Wait for its own end."""
        assert self.process is not None
        return self.process.wait(seconds)


@dataclass
class WholePath:
    """The path under test. `day_starts` are its days; `end` is where the street ends."""

    network: Network
    folder: Path
    street: sim.Street
    urls: dict[str, str] = field(default_factory=dict)
    gateways: dict[str, Service] = field(default_factory=dict)

    @property
    def homes(self) -> list[str]:
        """Homes of the district that is hurt."""
        return [home.id for home in self.street.homes if home.district == A]

    @property
    def days(self) -> list[str]:
        """Days of the street by name."""
        starts = range(self.street.start, self.street.end, DAY)
        return [time.strftime("%Y-%m-%d", time.gmtime(start)) for start in starts]

    # -- setting out ------------------------------------------------------------------------

    def set_out(self) -> None:
        """Network up, homes registered, gateways serving, the twin district posted."""
        self.up()
        self.open()
        self.post(B)

    def open(self) -> None:
        """Homes registered, gateways serving."""
        self.urls = {district: f"http://127.0.0.1:{_free_port()}" for district in sim.DISTRICTS}
        self.lay_out()
        registration = str(self.folder / "street" / "registration.json")
        self.command("ped-gateway", "register", registration, "--profile", self.profile("DSO"))
        for district in sim.DISTRICTS:
            self.gateways[district] = self._gateway(district)
            self.gateways[district].start()
        wait_until(lambda: all(map(self.serves, sim.DISTRICTS)), "gateways serve")

    def lay_out(self) -> None:
        """The street's files."""
        lay_out(self.folder / "street", self.street, self.urls)

    def post(self, district: str) -> None:
        """All readings of a district's homes, undisturbed."""
        span = ("--from", self.days[0], "--through", self.days[-1])
        self.command("emsagent", "simulate", "--config", str(self.agent_config(district)), *span)

    def _gateway(self, district: str) -> Service:
        config = self.folder / f"gateway-{district}.toml"
        config.write_text(
            f'profile = "{self.profile(district)}"\nstate = "gateway/{district}"\n'
            f'listen = "{self.urls[district].removeprefix("http://")}"\n'
            f"resubmit_after_s = {RESUBMIT_AFTER_S}\n[districts.{district}]\n"
        )
        log = self.folder / f"gateway-{district}.log"
        return Service((str(BIN / "ped-gateway"), "serve", "--config", str(config)), log)

    def agent_config(self, district: str) -> Path:
        """The configuration of a district's agents."""
        return self.folder / "street" / district / "agent.toml"

    def agent(self, name: str, homes: Sequence[str], until: int | None = None) -> Service:
        """A process for these homes of DistrictA, up to an instant; all share the state."""
        head, *sections = self.agent_config(A).read_text().split("[[home]]\n")
        wanted = [each for each in sections if any(f'id = "{home}"\n' in each for home in homes)]
        config = self.agent_config(A).with_name(f"{name}.toml")
        config.write_text("[[home]]\n".join([head, *wanted]))
        span = (str(self.street.start), str(self.street.end if until is None else until))
        command = (sys.executable, str(AGENT), str(config), *span)
        return Service(command, self.folder / f"{name}.log")

    # -- killing and mending ----------------------------------------------------------------

    def up(self, failpoint: str = "") -> None:
        """`ped-network up`; the process it starts will die at the fail-point."""
        self.network.run("up", environment={"PEDCHAIN_FAILPOINT": failpoint})

    def kill_network(self) -> None:
        """SIGKILL of the embedded network's process, and wait until it is gone."""
        nodes = self.nodes()
        nodes.signal(signal.SIGKILL)
        wait_until(lambda: not nodes.alive, "the network is gone")

    async def kill_around(self, agent: Service, kills: int, chance: random.Random) -> None:
        """While the agent works, kill this or that and mend it; then let the agent finish."""
        killed: list[str] = []
        while len(killed) < kills:
            killed += chance.sample(["agent", "gateway", "network"], min(3, kills - len(killed)))
        try:
            for victim in killed:
                agent.start()
                await asyncio.sleep(chance.uniform(0.2, 1.5))
                if victim == "network":
                    self.kill_network()
                    self.up()
                else:
                    service = agent if victim == "agent" else self.gateways[A]
                    service.kill()
                    service.start()
            wait_until(lambda: self.serves(A), "the gateway serves again")
            agent.start()
            assert await asyncio.to_thread(agent.finish) == 0
        finally:
            agent.kill()

    def nodes(self) -> Process:
        """The embedded network's process, from the record of what runs."""
        run = State(self.network.state).load()
        assert run is not None
        return next(each for each in run.processes if each.name == "embedded")

    def serves(self, district: str) -> bool:
        """Whether the district's gateway says it can work."""
        try:
            answer = httpx2.get(f"{self.urls[district]}/healthz", timeout=5)
        except httpx2.TransportError:
            return False
        return answer.status_code == httpx2.codes.OK

    # -- what holds -------------------------------------------------------------------------

    def outboxes(self) -> Iterator[tuple[str, Record]]:
        """State and record of everything DistrictA's agents have signed."""
        for path in sorted((self.agent_config(A).parent / "state/outbox").glob("*.sqlite")):
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
                rows = db.execute("SELECT state, device, counter, content FROM record").fetchall()
            for state, device, counter, content in rows:
                yield state, (device, counter, content)

    def acknowledged(self) -> set[Record]:
        """What agents count as recorded."""
        return {record for state, record in self.outboxes() if state == "recorded"}

    async def check(self, *, redo: bool = True) -> Counter[bytes]:
        """The ledger verifies, holds all that was acknowledged before, and nothing twice.

        Without `redo` the auditor's own work is left out, which grows with the ledger.
        """
        acknowledged = {record for _, _, record in self.acknowledged()}
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            archive = await collect(self.network.profile("DSO"), Path(folder) / "ledger")
            if redo:
                verify(archive)
            kept: Counter[bytes] = Counter()
            for number, raw in archive.blocks():
                codes = validation_codes(Block.FromString(raw))
                for position, held in archive.private(number).private_data_map.items():
                    if codes[position] == TxValidationCode.VALID:
                        kept.update(_records(held.SerializeToString()))
        assert not acknowledged - set(kept), "acknowledged, and not on the ledger"
        assert not [record for record, count in kept.items() if count > 1], "doubled"
        return kept

    def certificates(self) -> dict[str, list[dict[str, Any]]]:
        """Both districts' certificates, closed first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for district in sim.DISTRICTS:
            span = ("--from", self.days[0], "--through", self.days[-1])
            close = ("close", "--profile", self.profile(district), "--district", district, *span)
            self.command("ped-gateway", *close)
            url = f"{self.urls[district]}/v1/districts/{district}/certificates"
            found[district] = httpx2.get(url, timeout=30).raise_for_status().json()["certificates"]
        return found

    def profile(self, organization: str) -> str:
        """An organisation's connection profile."""
        return str(self.network.profile(organization))

    def command(self, name: str, *options: str) -> str:
        """One of the installed commands, to its end."""
        done = subprocess.run(
            [str(BIN / name), *options], capture_output=True, text=True, timeout=110, check=False
        )
        assert done.returncode == 0, f"{name} {options[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    async def check_as_twin(self) -> None:
        """All is settled, and DistrictA is certified as DistrictB is, without a finding."""
        assert {state for state, _ in self.outboxes()} == {"recorded"}
        certificates = {
            district: [(one["day"], one["classes"], one["electricity"]) for one in found]
            for district, found in self.certificates().items()
        }
        assert certificates[A] == certificates[B]
        assert all(classes["M"] > 0 for _, classes, _ in certificates[A])
        assert [day for day, _, _ in certificates[A]] == self.days
        assert await findings(self) == {day: [] for day in self.days}
        await self.check()

    def end(self) -> None:
        """End the gateways."""
        for service in self.gateways.values():
            service.kill()


@contextmanager
def whole_path(folder: Path, days: int, homes: int) -> Iterator[WholePath]:
    """Everything up, DistrictB posted as the undisturbed twin, DistrictA still to be read."""
    end = int(time.time()) // DAY * DAY
    with make_network("embedded", folder) as network:
        made = WholePath(network, folder, twin_street(end, days, homes))
        try:
            made.set_out()
            yield made
        finally:
            made.end()


def _records(private: bytes) -> Iterator[bytes]:
    for namespace in rwset.decode_private(private):
        if namespace.name == f"metering-{A}":
            for collection in namespace.collections:
                for write in collection.writes:
                    if write.key.startswith("\x00batch"):
                        yield from parts(write.value)[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def findings(path: WholePath) -> Mapping[str, Any]:
    """What folds found on each day of DistrictA that was not plainly recorded."""
    async with await profile.connect(path.network.profile(A)) as gateway:
        contract = gateway.network("ped").contract(f"metering-{A}")
        return {
            day: json.loads(await contract.evaluate("ListFindings", day))["records"]
            for day in path.days
        }
