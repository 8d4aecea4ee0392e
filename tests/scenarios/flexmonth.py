# SPDX-License-Identifier: Apache-2.0
"""The demo's districts in demand response: agents, gateways and a network, day by day.

Every home is an agent of its own: it consents, hears its dispatches at its district's gateway,
answers, and its meter reads what the home then does. The ledger's clock is what organisations post,
so that days of last winter are lived through in seconds.
"""

import asyncio
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2

from emsagent import config as configuration
from emsagent.config import Config
from emsagent.consent import Consent
from emsagent.following import Follower
from emsagent.home import Home
from emsagent.simulate import drained
from emsagent.street import lay_out
from emsagent.uplink import Uplink
from pedchain_domain import canonical, der, onboarding
from pedchain_domain.instants import DAY, format_day
from pedchain_domain.sim import street as sim
from pedchain_gateway.certifying.closing import Closer
from pedchain_gateway.demandresponse import statement as flexstatement
from pedchain_gateway.demandresponse.flexibility import Flexibility
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.port import Refused, definition_of
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import submit_step
from pedchain_gateway.market.trader import Trader, Wallet
from pedchain_gateway.registering.register import load, register
from tests.scenarios.harness import Network
from tests.scenarios.onnetwork import LAGGING
from tests.scenarios.wholepath import BIN, Service, wait_until
from tests.unit.chaincode.exchange import Exchange, Prosumer, receipt

HOUR = 3_600
MONDAY = (20_454 // 7 * 7 + 4) * DAY  # of early 2026: days before it are past every run's date
A, B = sim.DISTRICTS
ORGANIZATIONS = ("DSO", A, B, "Aggregator")
#: Homes whose meter is exchanged, has a gap, or is offline on the way.
TROUBLED = ("home-05", "home-07", "home-12")
CAPACITY_W = 600
RICH = 500_000_000
SEEN_S = 60
CODE = "0815-{}"
VEN, VEN_SECRET = "ven-1", "open sesame"


@dataclass(frozen=True)
class Event:
    """An order: so many days after the first, from an hour on, and the notice before it."""

    name: str
    day: int
    hour: int
    parts: dict[str, int]
    direction: str = "down"
    notice_hours: float = 9
    more: dict[str, Any] = field(default_factory=dict)
    is_guaranteed: bool = False  # users get the price of all they contribute

    @property
    def notice_s(self) -> int:
        """Seconds of notice."""
        return int(self.notice_hours * HOUR)


class Districts:
    """Both districts with their agents; `first` is the first day's midnight."""

    def __init__(self, network: Network, folder: Path, days: int) -> None:
        self.network, self.folder = network, folder
        self.street = sim.build(MONDAY + days % 7 * DAY, days)
        self.first = self.street.start
        self.accounts = [account("dso", 1), account("aggregator", 2)]
        self.ledgers: dict[str, FabricLedger] = {}
        self.agents: dict[str, list[tuple[Home, Follower | None]]] = {}
        self.uplinks: dict[str, Uplink] = {}
        self.lived = self.first
        self.urls: dict[str, str] = {}
        self.silent: list[Follower] = []  # homes that somebody else answers for

    def at(self, day: int, hour: int = 0) -> int:
        """An instant of a day."""
        return self.first + day * DAY + hour * HOUR

    def flexibility(self, by: str) -> Flexibility:
        """Demand response through an organisation's gateway."""
        return Flexibility(self.ledgers[by], "ped", lambda _: None)

    def trader(self, by: str) -> Trader:
        """The account of an organisation, through its user that holds the role."""
        one = self.accounts[0 if by == "operator" else 1]
        return Trader(self.ledgers[by], "ped", Wallet(one.name, one.key))

    # -- setting out --------------------------------------------------------------------------

    async def open(self, stack: AsyncExitStack) -> None:
        """Gateways serve, everybody is registered, money is paid in, homes consent."""
        await self._connect(stack)
        self.urls = {name: f"http://127.0.0.1:{free_port()}" for name in (A, B)}
        street = self.folder / "street"
        lay_out(street, self.street, self.urls, flexible=True)
        await register(self.ledgers["DSO"], load(street / "registration.json"), lambda _: None)
        await self._pay_in()
        for district in (A, B):
            await self._agents(stack, district)
        self._serve(stack)
        await asyncio.gather(*map(self._consent, (A, B)))

    async def _connect(self, stack: AsyncExitStack) -> None:
        """The ledger, as each organisation and as the users with a role of their own."""
        users = [(name, name, "gateway") for name in ORGANIZATIONS]
        users += [("operator", "DSO", "operator"), ("provider", "Aggregator", "provider")]
        for key, name, user in users:
            opened = await open_ledger(self.network.profile(name), user)
            self.ledgers[key] = await stack.enter_async_context(opened)

    def _serve(self, stack: AsyncExitStack) -> None:
        """Each district's gateway as a process, with an OpenADR client for its homes."""
        for name, url in self.urls.items():
            sites = [one.consent.site for one in self.followers(name)]
            secret = hashlib.sha256(VEN_SECRET.encode()).hexdigest()
            file = self.folder / f"gateway-{name}.toml"
            file.write_text(
                f'profile = "{self.network.profile(name)}"\nstate = "{self.folder / name}"\n'
                f'listen = "{url.removeprefix("http://")}"\n[districts.{name}]\n'
                f'[openadr.{VEN}]\nsecret = "{secret}"\ndistrict = "{name}"\nsites = {sites}\n'
            )
            command = (str(BIN / "ped-gateway"), "serve", "--config", str(file))
            service = Service(command, self.folder / f"gateway-{name}.log")
            service.start()
            stack.callback(service.kill)
        for url in self.urls.values():
            wait_until(partial(_is_healthy, url), f"{url} serves")

    async def _pay_in(self) -> None:
        await self._settle("tokens:Begin", canonical.encode(Exchange.setup()).decode())
        for number, one in enumerate(self.accounts, 1):
            paid = receipt(one.name, RICH, number)
            await self._settle("tokens:RegisterProsumer", account=one.request(), receipt=paid)
            await Trader(self.ledgers["DSO"], "ped", Wallet(one.name, one.key)).fold()

    async def _settle(self, function: str, *arguments: str, by: str = "DSO", **sent: bytes) -> None:
        transient = {"salt": secrets.token_bytes(16), **sent}
        await submit_step(
            self.ledgers[by], "settlement", function, *arguments,
            transient=transient, lagging=LAGGING,
        )  # fmt: skip

    async def _agents(self, stack: AsyncExitStack, district: str) -> None:
        config = configuration.load(self.folder / "street" / district / "agent.toml")
        config = replace(config, consents=tuple(await self._offers(config, district)))
        uplink = Uplink(config.gateways[district])
        self.uplinks[district] = await stack.enter_async_context(uplink)
        followers = {one.home: Follower(config, one) for one in config.consents}
        self.agents[district] = [
            (stack.enter_context(Home(config, home)), followers.get(home.id))
            for home in config.homes
        ]

    async def _offers(self, config: Config, district: str) -> list[Consent]:
        """What each home offers, under the names that the ledger has for it."""
        issuer = der.spki_hex(self.accounts[0].key.public_key())
        found = []
        for home in config.homes:
            if home.id in TROUBLED or home.id.endswith("feeder"):
                continue
            meter = f"{home.id}-grid"
            held = await ask_document(
                self.ledgers[district], definition_of(district), "GetDevice", meter
            )
            found.append(
                Consent(
                    home=home.id, meter=meter, site=held["site"], device=held["document"]["id"],
                    provider="aggregator", account=f"acc-{home.id}", down_w=CAPACITY_W,
                    up_w=CAPACITY_W, from_hour=0, to_hour=0, available_ppm=1_000_000,
                    share_ppm=800_000, history=True, issuers=(issuer,), protected=False,
                    setpoints=self.folder / "street" / district / "setpoints" / f"{home.id}.csv",
                )
            )  # fmt: skip
        return found

    async def _consent(self, district: str) -> None:
        """The DSO gives each occupant a code; each agent consents with it."""
        first, *others = self.followers(district)
        await self._offer(district, first)  # makes the collection's secret
        await asyncio.gather(*(self._offer(district, one) for one in others))
        for one in (first, *others):
            await one.enrol(self.uplinks[district], CODE.format(one.consent.home), self.first)

    async def _offer(self, district: str, follower: Follower) -> None:
        site = follower.consent.site
        digest = onboarding.code_digest(f"flex:{site}", CODE.format(follower.consent.home))
        await self.flexibility("DSO").offer(district, site, digest)

    def followers(self, *districts: str) -> list[Follower]:
        """The agents of homes that offer flexibility."""
        pairs = chain.from_iterable(self.agents[name] for name in districts)
        return [one for _, one in pairs if one is not None]

    # -- days ---------------------------------------------------------------------------------

    async def live(self, until: int) -> None:
        """Agents read and send up to an instant; those that offer flexibility hear of orders."""
        pairs = [(name, *pair) for name in (A, B) for pair in self.agents[name]]
        await asyncio.gather(*(self._turn(name, one, self.lived) for name, _, one in pairs))
        for _, home, _ in pairs:
            home.collect(until=until, since=self.first)
        await asyncio.gather(*(self._send(name, home) for name, home, _ in pairs))
        self.lived = until

    async def _turn(self, district: str, follower: Follower | None, now: int) -> None:
        if follower is not None and follower not in self.silent:
            await follower.turn(self.uplinks[district], now)

    async def _send(self, district: str, home: Home) -> None:
        assert await drained(home, self.uplinks[district], patience_s=120)

    async def close(self, through: int, run: str = "P") -> None:
        """Close and share both districts' days through one, counted from the first."""
        await asyncio.gather(*(self._close(name, through, run) for name in (A, B)))

    async def _close(self, district: str, through: int, run: str) -> None:
        closer = Closer(self.ledgers[district], district, definition_of(district))
        first, last = (format_day(self.at(day) // DAY) for day in (0, through))
        done = await closer.close(through=last, first=first, run=run)
        flex = self.flexibility(district)
        for one in done:
            await flex.share(district, one.day, one.day)

    async def clock(self, instant: int) -> None:
        """Every organisation posts the time."""
        await asyncio.gather(
            *(self._settle("clock:Tick", str(instant), by=name) for name in ORGANIZATIONS)
        )

    # -- orders -------------------------------------------------------------------------------

    async def order(self, event: Event) -> None:
        """Issue, accept and dispatch an order, at its notice."""
        start = self.at(event.day, event.hour)
        await self.clock(start - event.notice_s)
        body = {
            "schema": "order/1", "id": event.name, "issuer": "dso", "provider": "aggregator",
            "districts": sorted(event.parts), "direction": event.direction, "product": "firm",
            "start": start, "count": 2, "grain": HOUR, "power_w": sum(event.parts.values()),
            "price": 300_000, "penalty": 300_000, "notice_s": HOUR, "rule": "10of10",
            "availability": 100_000, "toe_price": 0, "supplier": None, "low_accuracy": True,
        } | event.more  # fmt: skip
        await self.flexibility("operator").issue(self.trader("operator"), body)
        await self._seen("provider", event.name, lambda found: found["state"] == "ISSUED")
        await self.flexibility("provider").accept(
            self.trader("provider"),
            event.name,
            event.parts,
            plant=False,
            guaranteed=event.is_guaranteed,
        )
        await self._seen("DSO", event.name, lambda found: found["state"] == "ACCEPTED")
        await self.flexibility("DSO").dispatch(event.name, self.accounts[0].key)
        await asyncio.gather(
            *(self._seen(name, event.name, _are("dispatched", name)) for name in event.parts)
        )

    async def reduce(self, event: Event) -> None:
        """The operator asks for no more than what is asked of who is left."""
        await self._seen("DSO", event.name, _are("dispatched", *event.parts))
        await self.flexibility("operator").reduce(self.trader("operator"), event.name)
        await self._seen("DSO", event.name, lambda found: bool(found["reduced"]))

    async def _seen(self, by: str, name: str, expected: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until an organisation's own peer knows what became of an order."""
        end = asyncio.get_running_loop().time() + SEEN_S
        while True:
            with suppress(Refused):
                if expected(await self.flexibility(by).order(name)):
                    return
            assert asyncio.get_running_loop().time() < end, f"{by} has not seen {name}"
            await asyncio.sleep(0.05)

    async def run(
        self,
        events: Sequence[Event],
        days: int,
        told: Callable[[Event], Awaitable[None]] | None = None,
    ) -> None:
        """Every day: orders at their notice, the hours between them lived, the day closed; `told`
        hears of each order that was dispatched."""
        notices = sorted(
            (self.at(each.day, each.hour) - each.notice_s, each.name, each) for each in events
        )
        quiet = (notices[0][0] - self.first) // DAY
        await self.live(self.at(quiet))
        await self.close(quiet - 1)
        for day in range(quiet, days):
            for instant, _, event in notices:
                if self.at(day) <= instant < self.at(day + 1):
                    if instant > self.lived:
                        await self.live(instant // HOUR * HOUR)
                    await self.order(event)
                    if told is not None:
                        await told(event)
            await self.live(self.at(day + 1))
            if any(self.at(day + 1) <= instant < self.at(day + 2) for instant, _, _ in notices):
                await self.close(day)

    async def settle(self, events: Iterable[Event], days: int) -> dict[str, dict[str, Any]]:
        """All is closed by run F, and every order settled; results by order."""
        await self.close(days - 1)
        await self.close(days - 1, "F")
        await self.clock(self.at(days))
        flex = self.flexibility("DSO")
        return {event.name: await flex.settle(event.name) for event in events}

    async def statements(self, events: Iterable[Event], folder: Path) -> list[dict[str, Any]]:
        """Every asked home's statement with its plot, as the aggregator reads them."""
        flex, found = self.flexibility("Aggregator"), []
        for event in events:
            await self._seen("Aggregator", event.name, _are("paid", *event.parts))
            for follower in self.followers(*event.parts):
                promise = follower.promises.get(event.name)
                if promise is None or not promise.sent:
                    continue
                home, site = follower.consent.home, follower.consent.site
                district = next(name for name in (A, B) if follower in self.followers(name))
                order, one = await flex.statement(event.name, district, site)
                write(folder, f"{event.name}-{home}", order, one)
                found.append(one)
        return found


def _are(phase: str, *districts: str) -> Callable[[dict[str, Any]], bool]:
    """Whether an order's districts have come so far."""
    return lambda found: all(found["districts"][name]["phase"] == phase for name in districts)


def write(folder: Path, name: str, order: dict[str, Any], one: dict[str, Any]) -> None:
    """A home's statement as it reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(flexstatement.text(order, one))
    (folder / f"{name}.svg").write_text(flexstatement.svg(order, one))


def account(name: str, number: int) -> Prosumer:
    """An account that trades nothing."""
    return Prosumer(name, number, places={"electricity": {"zone": 1, "feeds": None, "draws": None}})


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", timeout=5).is_success
    except httpx2.TransportError:
        return False


@asynccontextmanager
async def districts(network: Network, folder: Path, days: int) -> AsyncIterator[Districts]:
    """Both districts with everything agreed, on a network that is up and holds nothing else."""
    async with AsyncExitStack() as stack:
        made = Districts(network, folder, days)
        await made.open(stack)
        yield made
