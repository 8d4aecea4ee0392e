# SPDX-License-Identifier: Apache-2.0
"""What an owner lets the agent do in the market.

[[market]]
home = "home-18"                    # one with a [[plan]]: that knows what it feeds in and draws
account = "acc-home-18"
key_file = "account.pem"            # the account's own key, 0600: every order is signed by it
token_file = "person.token"         # who asks the gateway: its bearer token
zone = 1
offer_price = 120_000               # the least it sells for, ucur/kWh; left out: it offers nothing
bid_price = 200_000                 # the most it buys for; left out: it bids for nothing
hour_max_wh = 5_000                 # the most of one hour
loss_max_ucur = 500_000             # deposits of its open orders together: the most it can lose
every_s = 3_600                     # how often orders are looked at

It offers at most what was fed in at that hour on seven of the last ten days, and bids for at most
what was drawn on seven.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emsagent import limits
from emsagent.errors import ConfigError
from emsagent.steering.wishes import PRICE_MAX
from emsagent.toml import Table
from pedchain_domain.market.clearing import TICK


@dataclass(frozen=True, slots=True)
class Mandate:
    """The owner's caps; prices in ucur/kWh, None for a side it takes no part in."""

    home: str
    account: str
    key_file: Path
    token_file: Path
    zone: int
    offer_price: int | None
    bid_price: int | None
    hour_max_wh: int
    loss_max_ucur: int
    every_s: int


def parse(table: Table, base: Path, planned: Mapping[str, object]) -> Iterator[Mandate]:
    """The mandates of a configuration; `planned` are the homes that plan. Raises `ConfigError`."""
    for entry in table.tables("market", limits.HOMES_MAX):
        yield _mandate(entry, base, planned)


def _mandate(table: Table, base: Path, planned: Mapping[str, object]) -> Mandate:
    home = table.text("home")
    if home not in planned:
        raise ConfigError(table.path("home"), f"{home!r} has no [[plan]]")
    found = Mandate(
        home=home,
        account=table.text("account"),
        key_file=base / table.text("key_file"),
        token_file=base / table.text("token_file"),
        zone=table.number("zone", None, 1, 2**32 - 1),
        offer_price=_price(table, "offer_price"),
        bid_price=_price(table, "bid_price"),
        hour_max_wh=table.number("hour_max_wh", None, 1, limits.STORE_WH_MAX),
        loss_max_ucur=table.number("loss_max_ucur", None, 0, limits.LOSS_MAX_UCUR),
        every_s=table.number("every_s", 3_600, 1, 86_400),
    )
    table.done()
    return found


def _price(table: Table, name: str) -> int | None:
    if name not in table.values:
        table.optional(name)
        return None
    found = table.number(name, None, 0, PRICE_MAX)
    if found % TICK:
        raise ConfigError(table.path(name), f"must be a multiple of {TICK}")
    return found
