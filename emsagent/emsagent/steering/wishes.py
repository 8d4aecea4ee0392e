# SPDX-License-Identifier: Apache-2.0
"""What an owner wants of a home that plans by itself.

[[plan]]
home = "home-18"
grid = "home-18-grid"               # 1.8.0 is drawn, 2.8.0 fed in
sun = "home-18-sun"                 # 2.8.0 is made; left out: there is none
buy = 320_000                       # ucur/kWh: one price, or one for each hour of the UTC day
sell = 80_000
carbon_ug_per_wh = 300_000          # ug CO2, weighed with carbon_price, ucur/kg
carbon_price = 0
local_value = 20_000                # what a kWh is worth more where the district has it to spare
import_max_w = 25_000
export_max_w = 25_000
every_s = 10_800                    # how often it is planned anew
curtails = false                    # whether the device of `sun` may be told to make less
[[plan.store]]
device = "home-18-battery"          # told its power, asked how full it is
capacity_wh = 8_000
in_w = 3_000
out_w = 3_000
efficiency_ppm = 950_000            # of each way
reserve_wh = 800                    # never given away
away_from_hour = 7                  # a car: gone in these hours (UTC); equal: always there
away_to_hour = 18
ready_wh = 20_000                   # held when it leaves
used_wh = 8_000                     # a day: by driving, or as heat

`local_value` makes the plan follow the district's published surplus; 0: it does not ask for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emsagent import limits
from emsagent.errors import ConfigError
from emsagent.toml import Table

PPM = 1_000_000
STEP_S = 900
PRICE_MAX = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StoreWish:
    """A device that holds energy, and what must be in it; energies in Wh, powers in W."""

    device: str
    capacity_wh: int
    in_w: int
    out_w: int
    efficiency_ppm: int
    reserve_wh: int
    away_from_hour: int
    away_to_hour: int
    ready_wh: int
    used_wh: int

    def is_away(self, instant: int) -> bool:
        """Whether it is gone at an instant."""
        hour = instant // 3_600 % 24
        first, last = self.away_from_hour, self.away_to_hour
        return first <= hour < last if first <= last else hour >= first or hour < last


@dataclass(frozen=True, slots=True)
class Wish:
    """A home's tariff, limits and stores; prices by hour of the UTC day, ucur/kWh."""

    home: str
    grid: str
    sun: str | None
    buy: tuple[int, ...]
    sell: tuple[int, ...]
    carbon_ug_per_wh: int
    carbon_price: int
    local_value: int
    import_max_w: int
    export_max_w: int
    every_s: int
    curtails: bool
    stores: tuple[StoreWish, ...]


def parse(table: Table, meters: Mapping[str, set[str]]) -> Iterator[Wish]:
    """The wishes of a configuration; `meters` are the devices of each home. Raises
    `ConfigError`."""
    if "plan" not in table.values:
        table.optional("plan")
        return
    for entry in table.tables("plan", limits.HOMES_MAX):
        yield _wish(entry, meters)


def _wish(table: Table, meters: Mapping[str, set[str]]) -> Wish:
    home = table.text("home")
    if home not in meters:
        raise ConfigError(table.path("home"), f"no home {home!r} is configured")
    found = Wish(
        home=home,
        grid=_device(table, "grid", meters[home]),
        sun=_device(table, "sun", meters[home]) if "sun" in table.values else None,
        buy=table.by_hour("buy", -PRICE_MAX, PRICE_MAX),
        sell=table.by_hour("sell", -PRICE_MAX, PRICE_MAX),
        carbon_ug_per_wh=table.number("carbon_ug_per_wh", 0, 0, 10_000_000),
        carbon_price=table.number("carbon_price", 0, 0, PRICE_MAX),
        local_value=table.number("local_value", 0, 0, PRICE_MAX),
        import_max_w=table.number("import_max_w", 25_000, 1, limits.POWER_MAX_W),
        export_max_w=table.number("export_max_w", 25_000, 0, limits.POWER_MAX_W),
        every_s=table.number("every_s", 10_800, STEP_S, 86_400),
        curtails=table.flag("curtails", default=False),
        stores=tuple(_stores(table, meters[home])),
    )
    table.optional("sun")
    table.done()
    if found.curtails and found.sun is None:
        raise ConfigError(table.path("curtails"), "needs sun")
    return found


def _stores(table: Table, devices: set[str]) -> Iterator[StoreWish]:
    if "store" not in table.values:
        table.optional("store")
        return
    for entry in table.tables("store", limits.STORES_MAX):
        yield _store(entry, devices)


def _store(table: Table, devices: set[str]) -> StoreWish:
    capacity = table.number("capacity_wh", None, 1, limits.STORE_WH_MAX)
    found = StoreWish(
        device=_device(table, "device", devices),
        capacity_wh=capacity,
        in_w=table.number("in_w", None, 1, limits.POWER_MAX_W),
        out_w=table.number("out_w", 0, 0, limits.POWER_MAX_W),
        efficiency_ppm=table.number("efficiency_ppm", PPM, 100_000, PPM),
        reserve_wh=table.number("reserve_wh", 0, 0, capacity),
        away_from_hour=table.number("away_from_hour", 0, 0, 23),
        away_to_hour=table.number("away_to_hour", 0, 0, 23),
        ready_wh=table.number("ready_wh", 0, 0, capacity),
        used_wh=table.number("used_wh", 0, 0, limits.STORE_WH_MAX),
    )
    table.done()
    return found


def _device(table: Table, name: str, devices: set[str]) -> str:
    found = table.text(name)
    if found not in devices:
        raise ConfigError(table.path(name), f"{found!r} is no device of this home")
    return found
