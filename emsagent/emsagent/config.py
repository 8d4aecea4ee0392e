# SPDX-License-Identifier: Apache-2.0
"""The agent's configuration: one TOML file read into frozen values.

schema = "emsagent/1"
state = "state"                    # keys and outboxes; relative to this file
network = "pedchain"               # what signatures are made for (domain tag)
channel = "ped"
clock = "kernel"                   # whom the time of live meters is trusted from: `clock`

[gateway.DistrictA]
url = "https://127.0.0.1:8443"
ca = "tls/ca.pem"                  # certificate authority of the gateway

[[home]]
id = "home-01"
district = "DistrictA"
[[home.device]]
id = "home-01-grid"
driver = { kind = "csv", file = "registers/home-01-grid.csv" }

What a home offers to demand response: `consent`; what it plans:
`steering.wishes`; what it may do in the market: `trading.mandate`.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emsagent import consent, limits
from emsagent.consent import Consent
from emsagent.errors import ConfigError
from emsagent.steering import wishes
from emsagent.steering.wishes import Wish
from emsagent.toml import Table

if TYPE_CHECKING:
    from emsagent.trading.mandate import Mandate

SCHEMA = "emsagent/1"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where a district's gateway listens, and who vouches for its certificate."""

    district: str
    url: str
    ca: Path | None


@dataclass(frozen=True, slots=True)
class DriverConfig:
    """Which driver reads a meter, and the settings that only this driver understands.

    `where` names the entry in the file (for errors), `base` is what paths are relative to,
    `interval_s` the distance of the home's readings, `clock` whom the time is trusted from.
    """

    kind: str
    settings: Mapping[str, object]
    where: str
    base: Path
    interval_s: int = 900
    clock: str = "kernel"


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One meter: its id, its model as records print it, and how it is read; `key` is where its key
    is, `file` or `token`."""

    id: str
    model: str
    driver: DriverConfig
    key: str = "file"


@dataclass(frozen=True, slots=True)
class HomeConfig:
    """One grid connection: its district, the grain of its readings, its meters.

    `interval_s` is the distance of readings in seconds; `samples_per_record` the number of
    instants one signed record may carry; `records_max` the unsettled records its outbox holds.
    """

    id: str
    district: str
    interval_s: int
    samples_per_record: int
    records_max: int
    devices: tuple[DeviceConfig, ...]


@dataclass(frozen=True, slots=True)
class TokenConfig:
    """A secure element that holds keys: `token`."""

    module: Path
    label: str
    pin_file: Path


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one agent process is told."""

    state: Path
    network: str
    channel: str
    gateways: Mapping[str, GatewayConfig]
    homes: tuple[HomeConfig, ...]
    consents: tuple[Consent, ...] = ()
    token: TokenConfig | None = None
    listen: tuple[str, int] | None = None
    announce: DriverConfig | None = None
    plans: tuple[Wish, ...] = ()
    mandates: tuple["Mandate", ...] = ()


def load(path: Path) -> Config:
    """Read the file. Raises `ConfigError` naming the entry that is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.CONFIG_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError("", f"{path}: {error.strerror}") from error
    if len(raw) > limits.CONFIG_BYTES_MAX:
        raise ConfigError("", f"{path} is larger than {limits.CONFIG_BYTES_MAX} bytes")
    try:
        values = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("", f"{path} is not TOML: {error}") from error
    return parse(Table(values), path.parent)


def parse(table: Table, base: Path) -> Config:
    """Turn a table into a `Config`; paths in it are relative to `base`."""
    schema = table.text("schema")
    if schema != SCHEMA:
        raise ConfigError("schema", f"must be {SCHEMA!r}, is {schema!r}")
    gateways = _gateways(table.table("gateway"), base)
    clock = table.text("clock", "kernel")
    if clock not in ("kernel", "always"):
        raise ConfigError("clock", f"must be 'kernel' or 'always', is {clock!r}")
    homes = tuple(
        _home(home, base, gateways, clock) for home in table.tables("home", limits.HOMES_MAX)
    )
    meters = {home.id: {device.id for device in home.devices} for home in homes}
    plans = tuple(wishes.parse(table, meters))
    config = Config(
        state=base / table.text("state", "state"),
        network=_id(table, "network"),
        channel=_id(table, "channel"),
        gateways=gateways,
        homes=homes,
        consents=tuple(consent.parse(table, base, meters)),
        token=_token(table, base),
        listen=_listen(table.table("service")),
        announce=_announce(table, base),
        plans=plans,
        mandates=_mandates(table, base, plans),
    )
    table.done()
    _unique("home", (home.id for home in config.homes))
    _unique("device", (device.id for home in config.homes for device in home.devices))
    _unique("flexibility", (one.home for one in config.consents))
    _unique("plan", (one.home for one in config.plans))
    _unique("market", (one.home for one in config.mandates))
    return config


def _gateways(table: Table, base: Path) -> dict[str, GatewayConfig]:
    found = {}
    for district in table.names():
        entry = table.table(district)
        url, ca = entry.text("url"), entry.text_or_none("ca")
        if not url.startswith(("http://", "https://")):
            raise ConfigError(entry.path("url"), f"must start with http:// or https://, is {url!r}")
        entry.done()
        found[district] = GatewayConfig(district, url.rstrip("/"), base / ca if ca else None)
    if not found:
        raise ConfigError("gateway", "is missing; write a table such as [gateway.DistrictA]")
    return found


def _mandates(table: Table, base: Path, plans: Iterable[Wish]) -> "tuple[Mandate, ...]":
    if "market" not in table.values:
        table.optional("market")
        return ()
    from emsagent.trading import mandate  # the market's rules, only where orders are placed

    return tuple(mandate.parse(table, base, {one.home: one for one in plans}))


def _token(table: Table, base: Path) -> TokenConfig | None:
    if "token" not in table.values:
        table.optional("token")
        return None
    entry = table.table("token")
    found = TokenConfig(
        base / entry.text("module"), entry.text("label"), base / entry.text("pin_file")
    )
    entry.done()
    return found


def _announce(table: Table, base: Path) -> DriverConfig | None:
    if "homeassistant" not in table.values:
        table.optional("homeassistant")
        return None
    entry = table.table("homeassistant")
    return DriverConfig("homeassistant", entry.values, entry.where, base)


def _listen(table: Table) -> tuple[str, int] | None:
    text = table.text_or_none("listen")
    table.done()
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(table.path("listen"), f"must be ADDRESS:PORT, is {text!r}")
    return host.strip("[]"), int(port)


def _home(
    table: Table, base: Path, gateways: Mapping[str, GatewayConfig], clock: str
) -> HomeConfig:
    district = table.text("district")
    if district not in gateways:
        raise ConfigError(table.path("district"), f"no [gateway.{district}] tells where to send")
    interval_s = table.number("interval_s", 900, 1, 3_600)
    home = HomeConfig(
        id=_id(table, "id"),
        district=district,
        interval_s=interval_s,
        samples_per_record=table.number(
            "samples_per_record", 96, 1, limits.READINGS_PER_RECORD_MAX
        ),
        records_max=table.number(
            "records_max", limits.RECORDS_HELD_MAX, 1, limits.RECORDS_HELD_MAX
        ),
        devices=tuple(
            _device(device, base, interval_s, clock)
            for device in table.tables("device", limits.DEVICES_PER_HOME_MAX)
        ),
    )
    table.done()
    if 3_600 % home.interval_s:
        raise ConfigError(table.path("interval_s"), "must divide an hour (3600 seconds)")
    return home


def _device(table: Table, base: Path, interval_s: int, clock: str) -> DeviceConfig:
    driver = table.table("driver")
    kind = driver.text("kind")
    settings = {name: value for name, value in driver.values.items() if name != "kind"}
    key = table.text("key", "file")
    if key not in ("file", "token"):
        raise ConfigError(table.path("key"), f"must be 'file' or 'token', is {key!r}")
    device = DeviceConfig(
        id=_id(table, "id"),
        model=table.text("model", "emsagent"),
        driver=DriverConfig(kind, settings, driver.where, base, interval_s, clock),
        key=key,
    )
    table.done()
    return device


def _id(table: Table, name: str) -> str:
    value = table.text(name)
    if not _ID.fullmatch(value):
        raise ConfigError(table.path(name), f"{value!r} is not an id ({_ID.pattern})")
    return value


def _unique(what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise ConfigError(what, f"the id {one!r} is used twice")
        seen.add(one)
