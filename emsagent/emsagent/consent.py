# SPDX-License-Identifier: Apache-2.0
"""What a home offers to demand response, as its occupants wrote it down.

[[flexibility]]
home = "home-18"
meter = "home-18-grid"              # the device whose key speaks for the home
site = "p-0c1f..."                  # site and device as the ledger names them
device = "p-9a77..."                # (`ped-gateway device show`); left out: as they are called here
provider = "aggregator"             # the account that may ask, and the one that is paid
account = "acc-home-18"
down_w = 400
up_w = 400
issuers = ["3059..."]               # public keys whose dispatches are obeyed, from the DSO's letter
setpoints = "setpoints/home-18.csv" # what the home's devices are told, one line per event
acts = "home-18-battery"            # the device that is told the power of an order, if there is one
protected = false                   # somebody here depends on power: nothing is ever obeyed
openadr = { client = "ven-1", secret_file = "ven.secret" }    # asked in OpenADR 3's words instead
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emsagent import limits
from emsagent.errors import ConfigError
from emsagent.toml import Table
from pedchain_domain.flexibility import enrolment
from pedchain_domain.numbers import PPM

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ven:
    """Whom to ask, and as whom."""

    path: str
    client: str
    secret_file: Path


@dataclass(frozen=True, slots=True)
class Consent:
    """A home's offer; `site` and `device` are the ledger's names, `meter` the device's name here.
    Powers in W, `available_ppm` and `share_ppm` as in enrolment/1."""

    home: str
    meter: str
    site: str
    device: str
    provider: str
    account: str
    down_w: int
    up_w: int
    from_hour: int
    to_hour: int
    available_ppm: int
    share_ppm: int
    history: bool
    issuers: tuple[str, ...]
    setpoints: Path
    protected: bool
    acts: str | None = None
    openadr: Ven | None = None

    def enrolment(self, since: int) -> Document:
        """The enrolment/1 that the home's device signs."""
        return {
            "schema": "enrolment/1",
            "site": self.site,
            "device": self.device,
            "provider": self.provider,
            "account": self.account,
            "from": since,
            "to": None,
            "up_w": self.up_w,
            "down_w": self.down_w,
            "available": self.available_ppm,
            "from_hour": self.from_hour,
            "to_hour": self.to_hour,
            "share_ppm": self.share_ppm,
            "history": self.history,
        }


def parse(table: Table, base: Path, meters: Mapping[str, set[str]]) -> Iterator[Consent]:
    """The consents of a configuration; `meters` are the devices of each home. Raises
    `ConfigError`."""
    if "flexibility" not in table.values:
        table.optional("flexibility")
        return
    for entry in table.tables("flexibility", limits.HOMES_MAX):
        yield _consent(entry, base, meters)


def _consent(table: Table, base: Path, meters: Mapping[str, set[str]]) -> Consent:
    home, meter = table.text("home"), table.text("meter")
    if home not in meters:
        raise ConfigError(table.path("home"), f"no home {home!r} is configured")
    if meter not in meters[home]:
        raise ConfigError(table.path("meter"), f"{meter!r} is no device of {home}")
    found = Consent(
        home=home,
        meter=meter,
        site=table.text("site", home),
        device=table.text("device", meter),
        provider=table.text("provider"),
        account=table.text("account"),
        down_w=table.number("down_w", 0, 0, enrolment.MOST_W),
        up_w=table.number("up_w", 0, 0, enrolment.MOST_W),
        from_hour=table.number("from_hour", 0, 0, 23),
        to_hour=table.number("to_hour", 0, 0, 23),
        available_ppm=table.number("available_ppm", PPM, 0, PPM),
        share_ppm=table.number("share_ppm", 0, 0, PPM),
        history=table.flag("history", default=False),
        issuers=tuple(table.texts("issuers", limits.ISSUERS_MAX)),
        setpoints=base / table.text("setpoints"),
        protected=table.flag("protected", default=False),
        acts=table.text_or_none("acts"),
        openadr=_ven(table.table("openadr"), base) if "openadr" in table.values else None,
    )
    table.optional("openadr")
    table.done()
    if found.acts is not None and found.acts not in meters[home]:
        raise ConfigError(table.path("acts"), f"{found.acts!r} is no device of {home}")
    return found


def _ven(table: Table, base: Path) -> Ven:
    """The entry `openadr` of a consent. Raises `ConfigError`."""
    path = table.text("path", "/openadr3")
    found = Ven(path.rstrip("/"), table.text("client"), base / table.text("secret_file"))
    table.done()
    if not path.startswith("/"):
        raise ConfigError(table.path("path"), "must begin with /")
    return found
