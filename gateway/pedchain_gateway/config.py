# SPDX-License-Identifier: Apache-2.0
"""The gateway's configuration: one TOML file, read into a frozen model.

profile = ".pedchain/profiles/DistrictA.json"   # how to reach our peer, and as whom
state = ".pedchain/gateway/DistrictA"           # the index; relative to this file, as all paths
listen = "127.0.0.1:8443"
resubmit_after_s = 30                           # when a transaction nobody has seen counts as lost

[tls]                                           # needed for anything but loopback
certificate = "tls/cert.pem"
key = "tls/key.pem"
devices = "tls/devices.pem"                     # who signs devices' certificates
devices_required = false                        # or their records' signatures are enough

[districts.DistrictA]
close = true                                    # close its days when they are due

[people]                                        # whose tokens people bring, see docs/api.md
issuer = "https://id.example.org"
audience = "pedchain"
keys_url = "https://id.example.org/jwks.json"   # or keys = "jwks.json"

[rates]                                         # a minute
records_per_device = 2000

[openadr.ven-1]                                 # an OpenADR 3 client, see docs/openadr.md
secret = "9f86d081884c7d65..."                  # SHA-256 of its client secret, hex
district = "DistrictA"
sites = ["p.b7729d5b"]                          # what it reads events and answers for
"""

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from pedchain_gateway import limits
from pedchain_gateway.ledger.port import definition_of

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures with public keys alone: `none` and shared secrets are none."""


class ConfigError(Exception):
    """The configuration cannot be followed; the text names each wrong entry."""


def _beside(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    return base / path


Beside = Annotated[Path, AfterValidator(_beside)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tls(_Model):
    """The organisation's TLS certificate (with its chain) and key, PEM files."""

    certificate: Beside
    key: Beside
    devices: Beside | None = None
    devices_required: bool = False

    @model_validator(mode="after")
    def _can_ask(self) -> Self:
        if self.devices_required and self.devices is None:
            raise ValueError("devices_required needs devices, who signs their certificates")
        return self


class People(_Model):
    """The issuer of people's tokens (OpenID Connect): what is pinned, and where its keys are."""

    issuer: str = Field(min_length=1, max_length=512)
    audience: str = Field(min_length=1, max_length=256)
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    keys: Beside | None = None
    keys_url: Annotated[str, Field(pattern=r"^https://[^\s]{1,500}$")] | None = None

    @model_validator(mode="after")
    def _names_its_keys(self) -> Self:
        if (self.keys is None) == (self.keys_url is None):
            raise ValueError("either keys (a file) or keys_url must be given")
        return self


class Rates(_Model):
    """What somebody may bring in a minute."""

    records_per_device: int = Field(default=2_000, ge=1)
    forged_per_address: int = Field(default=1_000, ge=1)
    requests_per_person: int = Field(default=600, ge=1)
    requests_per_organization: int = Field(default=6_000, ge=1)
    requests_per_address: int = Field(default=3_000, ge=1)


class District(_Model):
    """One district this gateway serves. `definition` is the chaincode's, if not the usual one."""

    definition: Id | None = None
    close: bool = False


class Ven(_Model):
    """An OpenADR 3 client: the digest of its secret, and the sites it speaks for."""

    secret: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    district: Id
    sites: tuple[Id, ...] = Field(min_length=1, max_length=100)


class Config(_Model):
    """Everything `ped-gateway serve` is told."""

    profile: Beside
    state: Beside
    user: Id = "gateway"
    listen: str = "127.0.0.1:8443"
    tls: Tls | None = None
    people: People | None = None
    rates: Rates = Field(default_factory=Rates)
    districts: dict[Id, District] = Field(min_length=1)
    openadr: dict[Id, Ven] = Field(default_factory=dict)
    resubmit_after_s: float | None = Field(default=None, ge=1, le=3_600)
    close_every_s: float = Field(default=limits.CLOSING_EVERY_S, ge=1, le=86_400)

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the service."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def definitions(self) -> dict[str, str]:
        """The chaincode definition of each district."""
        return {
            name: district.definition or definition_of(name)
            for name, district in self.districts.items()
        }

    @model_validator(mode="after")
    def _serves_its_clients(self) -> Self:
        for name, ven in self.openadr.items():
            if ven.district not in self.districts:
                raise ValueError(f"openadr.{name}: this gateway does not serve {ven.district}")
        return self

    @model_validator(mode="after")
    def _listens_safely(self) -> Self:
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError("listen must be address:port, such as 127.0.0.1:8443")
        try:
            loopback = self.on_loopback
        except ValueError as error:
            raise ValueError("listen must name an address, not a host name") from error
        if not loopback and self.tls is None:
            raise ValueError("to listen beyond loopback, [tls] must name a certificate and a key")
        return self


def load(path: Path) -> Config:
    """Read the file. Raises `ConfigError` naming each entry that is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.CONFIG_BYTES_MAX)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        values = tomllib.loads(raw.decode())
        return Config.model_validate(values, context={"base": path.parent})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(
            "\n".join(
                f"{path}: {'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}"
                for one in error.errors()
            )
        ) from error
