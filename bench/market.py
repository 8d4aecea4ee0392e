# SPDX-License-Identifier: Apache-2.0
"""The multi-energy token paper's evaluation, and one large session.

Twenty prosumers, one producer to four consumers, trade twelve hours of electricity and of heat, 24
types in all: quantities 100 to 500 Wh, prices 10 to 15 µcur per Wh, a fixed seed. What minting
deposits, registering orders and trading cost is told apart: transactions, seconds, bytes of the
transactions in their blocks, keys written. The paper counts gas; there is none here.

Batches are held against single transfers twice:

- `batch_vs_single_*_k`, k of 3 and 24: all trades of k types among the twenty, from what clearing
  agreed until everybody can spend what is due. Here each account takes energy and money of k
  sessions by one debit. The rival has no batches: each token of each trade goes by a transfer of
  its own, each pair of seller and buyer has one transfer of money for all its trades, as the
  paper's `settle` has, and each account folds once what it was credited. What is due is computed
  either way and counts on neither side.
- `transfers_*_k`: k types from one account to another by one batch, against one transfer for each.
  A batch is never cheaper than one transfer, so k is the most there is; the paper's "over three
  times" for three types cannot be this count.

Members do not transfer money here (rules K12): the rival's payment counts as what the transfer of
one token costs, the mean of all that were measured.

On embedded always, on real Fabric where it is found; the large session on a peer in memory.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import auction, networks, printing
from bench.processes import fabric_found
from pedchain_chaincode.settlement.limits import PROOFS
from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from pedchain_network.topology import reader
from tests.scenarios.onnetwork import NetworkPeer, connected
from tests.unit.chaincode.certified import TODAY, Certified, Measured
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import MONEY, Prosumer
from tests.unit.chaincode.marketplace import GATE, Market

SEED, PROSUMERS, PRODUCERS = 2_023, 20, 4
HOURS = [START + DAY + hour * HOUR for hour in range(6, 18)]
ZONES = {Carrier.ELECTRICITY: 1, Carrier.HEAT: 2}
PRODUCTS = [Product(carrier, ZONES[carrier], hour) for carrier in Carrier for hour in HOURS]
FEW = [Product(Carrier.ELECTRICITY, 1, START + DAY + hour * HOUR) for hour in (18, 19, 20)]
"""Three types more, to be settled by themselves."""
KINDS, REPEATS = (1, 2, 3, 6, 12, 24), 2
DEPOSIT, LIMIT, PLENTY = 15_000_000, 15_000_000, 20_000


def measure() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {
        "in_memory": asyncio.run(auction.measure()),
        "in_memory_one_each": asyncio.run(auction.measure(accounts=10_000, orders_each=1)),
    }
    print(found, flush=True)
    for runtime in ["embedded", *(["native"] if fabric_found() else [])]:
        found[runtime] = on(runtime)
        print(runtime, found[runtime], flush=True)
    return found


def on(runtime: str) -> dict[str, Any]:
    """The evaluation on a network of its own."""
    topology = networks.serving(reader.reference().read_text(), printing.COMMAND)
    with networks.network(runtime, topology) as state:
        profiles = {path.stem: path for path in (state / "profiles").glob("*.json")}
        return asyncio.run(evaluate(profiles))


async def evaluate(profiles: dict[str, Any]) -> dict[str, Any]:
    """All of it, against the gateways of these profiles."""
    async with connected(profiles) as peer:
        market = Paper(peer)
        await market.prepare([*PRODUCTS, *FEW])
        return {**await market.evaluation(), **await market.transfers(), **await market.paid()}


@dataclass
class Cost:
    """What some calls took: seconds, and their transactions."""

    seconds: float = 0.0
    transactions: list[str] = field(default_factory=list)


class Paper(Market):
    """The paper's market on a network."""

    def __init__(self, peer: NetworkPeer) -> None:
        super().__init__()
        self.network = peer
        self.peer: Any = peer
        self.chance = random.Random(SEED)
        self.single, self.singles = Cost(), 0
        self.folded: dict[int, Cost] = {}
        self.taken: dict[int, tuple[Cost, list[Any]]] = {}
        self.people = [
            Prosumer(f"{'p' if number <= PRODUCERS else 'c'}{number:02d}", number)
            for number in range(1, PROSUMERS + 1)
        ]

    async def timed(self, cost: Cost, *calls: Awaitable[Any]) -> None:
        """Await calls one after the other; what they took and committed goes to `cost`."""
        before, start = len(self.network.done), time.perf_counter()
        for call in calls:
            await call
        cost.seconds += time.perf_counter() - start
        cost.transactions += [one.transaction for one in self.network.done[before:]]

    async def evaluation(self) -> dict[str, Any]:
        """Deposits minted, orders registered, all sessions traded and settled."""
        minting, ordering, trading = Cost(), Cost(), Cost()
        for one in self.people:
            await self.timed(minting, self.register(one, DEPOSIT))
        for one in self.people:
            side = "OFFER" if one.number <= PRODUCERS else "BID"
            body = self.order_of(side, PRODUCTS)
            debit = self.spend(one, "market", "RegisterOrder", "register-order", **body)
            await self.timed(ordering, debit)
            await self.spend(one, "tokens", "SetLimit", "set-limit", limit=LIMIT)
            few = self.order_of(side, FEW)
            await self.spend(one, "market", "RegisterOrder", "register-order", **few)
        await self.clock(GATE)
        await self.timed(trading, *map(self.cleared, PRODUCTS))
        for product in FEW:
            await self.cleared(product)
        certified = await self.over()
        for product in FEW:
            await self.settled(product, certified)
        await self.timed(trading, *(self.settled(product, certified) for product in PRODUCTS))
        taking = await self.take_all(PRODUCTS)
        await self.take_all(FEW)
        trading.seconds += taking.seconds
        trading.transactions += taking.transactions
        trades = [await self.trades(product) for product in PRODUCTS]
        count = sum(map(len, trades))
        per_producer = [
            sum(row[0] == one.name for row in rows)
            for rows in trades
            for one in self.people[:PRODUCERS]
        ]
        return {
            "mint_deposit": await self.each(minting, PROSUMERS),
            "register_order": await self.each(ordering, PROSUMERS),
            "trade": await self.each(trading, count),
            "trades": count,
            "orders": PROSUMERS,
            "order_lines": PROSUMERS * len(PRODUCTS),
            "trades_per_order_line": round(count / (PROSUMERS * len(PRODUCTS)), 2),
            "max_trades_per_producer_and_hour": max(per_producer),
            "retries": self.network.retried,
        }

    def order_of(self, side: str, products: Sequence[Product]) -> dict[str, Any]:
        """One order over all products; producers offer what four consumers may ask for."""
        many = PROSUMERS // PRODUCERS - 1 if side == "OFFER" else 1
        return {
            "side": side,
            "tokens": [to_hex(product.token) for product in products],
            "quantities": [many * self.chance.randint(100, 500) for _ in products],
            "prices": [1_000 * self.chance.randint(10, 15) for _ in products],
        }

    async def over(self) -> Certified:
        """The day is over and certified."""
        certified = everyone_enough(self.people)
        encoded = json.dumps(certified.certificate())
        await self.peer.submit("metering-DistrictA", "Put", TODAY["day"], encoded)
        await self.clock(FEW[-1].start + HOUR)
        return certified

    async def take_all(self, products: Sequence[Product]) -> Cost:
        """Everybody takes energy, money and deposits of these sessions, by one debit each."""
        cost = Cost()
        await self.timed(cost, *(self.take(one, *products) for one in self.people))
        trades = [row for product in products for row in await self.trades(product)]
        self.taken[len(products)] = cost, trades
        return cost

    async def cleared(self, product: Product) -> None:
        """Close it and clear it."""
        await self.close(product)
        await self.steps("Clear", product)

    async def settled(self, product: Product, certified: Certified) -> None:
        """Show what everyone's register measured in the hour, then settle it."""
        await self.submit("market:Measure", to_hex(product.token))
        proofs: list[Any] = []
        for one in self.people:
            way = "feeds" if one.number <= PRODUCERS else "draws"
            register = one.places()[str(product.carrier)][way]
            proofs += certified.proofs(register["point"], product.start)
        for at in range(0, len(proofs), PROOFS):
            shown = json.dumps(proofs[at : at + PROOFS]).encode()
            await self.submit("market:AttachCertificate", transient=self.fresh(proofs=shown))
        await self.steps("Settle", product)

    async def trades(self, product: Product) -> list[Any]:
        """A session's pairs."""
        found = await self.ask("market:GetTrades", to_hex(product.token))
        return list(found["trades"])

    async def each(self, cost: Cost, count: int) -> dict[str, float]:
        """A cost by what it was for, `count` of them."""
        size, keys = await self.network.written(cost.transactions)
        return {
            "seconds": round(cost.seconds / count, 4),
            "transactions": round(len(cost.transactions) / count, 2),
            "bytes": round(size / count),
            "keys": round(keys / count, 1),
        }

    async def transfers(self) -> dict[str, Any]:
        """k types from one account to another, in one batch and one by one."""
        source = await self.collector()
        target = next(one for one in self.people if one is not source)
        holdings = await self.ask("tokens:ListHoldings", source.name, "")
        tokens = [row["token"] for row in holdings.values() if row["amount"] >= 100]
        kinds = sorted(dict.fromkeys(token for token in tokens if token != MONEY))
        if len(kinds) < max(KINDS):
            raise RuntimeError(f"only {len(kinds)} types to transfer")
        found: dict[str, Any] = {}
        for count in KINDS:
            batch, single = Cost(), Cost()
            for _ in range(REPEATS):
                await self.timed(batch, self.move(source, target, kinds[:count], batch=True))
                for token in kinds[:count]:
                    await self.timed(single, self.move(source, target, [token], batch=False))
            self.single.seconds += single.seconds
            self.single.transactions += single.transactions
            self.singles += REPEATS * count
            self.folded[count] = await self.made_spendable(target)
            found[f"batch_{count}"] = await self.each(batch, REPEATS)
            found[f"single_{count}"] = await self.each(single, REPEATS)
            for what in ("seconds", "bytes", "keys"):
                ratio = found[f"single_{count}"][what] / found[f"batch_{count}"][what]
                name = "time" if what == "seconds" else what
                found[f"transfers_{name}_{count}"] = round(ratio, 2)
        return found

    async def made_spendable(self, account: Prosumer) -> Cost:
        """An account folds all its credits; asking for them counts for nothing."""
        cost, waiting = Cost(), await self.ask("tokens:ListCredits", account.name, "")
        debit = self.spend(account, "tokens", "Fold", "fold", credits=sorted(waiting))
        await self.timed(cost, debit)
        return cost

    async def paid(self) -> dict[str, Any]:
        """All trades of some types until all can be spent: with batches, and token by token."""
        one = await self.each(self.single, self.singles)
        found: dict[str, Any] = {"transfer": one}
        for kinds, (cost, trades) in self.taken.items():
            whole = await self.each(cost, 1)
            fold = await self.each(self.folded[kinds], 1)
            pairs = len(dict.fromkeys((row[0], row[1]) for row in trades))
            transfers = len(trades) + pairs
            found[f"fold_{kinds}"] = fold
            found[f"taken_{kinds}"] = whole | {"trades": len(trades), "pairs": pairs}
            for what in ("seconds", "transactions", "bytes", "keys"):
                name = "time" if what == "seconds" else what
                rival = transfers * one[what] + PROSUMERS * fold[what]
                found[f"batch_vs_single_{name}_{kinds}"] = round(rival / whole[what], 2)
        return found

    async def move(
        self, source: Prosumer, target: Prosumer, tokens: Sequence[str], *, batch: bool
    ) -> None:
        """One Wh of each token."""
        method, action = SINGLE if not batch else BATCH
        body = {"from": source.name, "to": target.name, "tokens": list(tokens)}
        quantities = [1] * len(tokens)
        await self.spend(source, "tokens", method, action, **body, quantities=quantities)

    async def collector(self) -> Prosumer:
        """The first consumer, once the others have given it what they bought."""
        first, *others = self.people[PRODUCERS:]
        for one in others:
            holdings = await self.ask("tokens:ListHoldings", one.name, "")
            rows = [row for row in holdings.values() if row["token"] != MONEY and row["amount"]]
            for at in range(0, len(rows), 40):
                part = sorted(rows[at : at + 40], key=lambda row: str(row["token"]))
                body = {"from": one.name, "to": first.name}
                tokens, amounts = ([row[name] for row in part] for name in ("token", "amount"))
                await self.spend(one, "tokens", *BATCH, **body, tokens=tokens, quantities=amounts)
        await self.fold(first)
        return first


SINGLE = ("SafeTransferFrom", "safe-transfer-from")
BATCH = ("SafeBatchTransferFrom", "safe-batch-transfer-from")


def everyone_enough(people: Sequence[Prosumer]) -> Certified:
    """A day on which everybody fed in and drew plenty: all that was traded is settled."""
    hours: dict[str, Measured] = {}
    measured = [*HOURS, *(product.start for product in FEW)]
    for one in people:
        for place in one.places().values():
            for way in ("feeds", "draws"):
                point, role = place[way]["point"], place[way]["role"]
                former = hours.get(point, {hour: {} for hour in measured})
                hours[point] = {hour: {**former[hour], role: (PLENTY, "M")} for hour in measured}
    return Certified("DistrictA", hours)
