# SPDX-License-Identifier: Apache-2.0
"""Who a bearer token is of: tokens of one OpenID Connect issuer, checked by its published keys.

Algorithm, issuer and audience are the configuration's, never the token's. Without an issuer, a
gateway that listens on loopback takes the tokens that `ped-gateway token` makes; any other none.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from pedchain_gateway import limits
from pedchain_gateway.config import Config, People
from pedchain_gateway.people import trial

ROLES, DISTRICTS, ACCOUNTS = "ped_roles", "ped_districts", "ped_accounts"
ORGANIZATION = "ped_organization"
Claims = Mapping[str, Any]


class NotKnownError(Exception):
    """A token that says nothing: foreign, expired, of another audience, or not one at all."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token is of, and what its issuer says this person is."""

    subject: str
    organization: str
    roles: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()


@dataclass(slots=True)
class Keys:
    """An issuer's keys by id; asked for again where one is missing, but never often."""

    load: Callable[[], jwt.PyJWKSet]
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _asked: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, name: str) -> jwt.PyJWK:
        """The key of this id. Raises `NotKnownError`."""
        async with self._lock:
            stale = self.clock() - self._asked
            if stale > limits.KEYS_KEPT_S or (name not in self._known and stale > limits.KEYS_S):
                self._asked = self.clock()
                await self._ask()
        try:
            return self._known[name]
        except KeyError as error:
            raise NotKnownError from error

    async def _ask(self) -> None:
        try:
            found = await asyncio.to_thread(self.load)
        except (jwt.PyJWTError, OSError, ValueError):
            return  # what was known goes on to hold; a new key is not known yet
        self._known = {one.key_id: one for one in found.keys if one.key_id is not None}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Checks tokens of one issuer."""

    people: People
    keys: Keys

    async def person(self, token: str) -> Person:
        """Whom the token is of. Raises `NotKnownError`."""
        if len(token) > limits.TOKEN_BYTES_MAX:
            raise NotKnownError
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in self.people.algorithms:
                raise NotKnownError
            key = await self.keys.of(str(header.get("kid", "")))
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self.people.audience,
                issuer=self.people.issuer,
                leeway=limits.CLOCKS_DIFFER_S,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotKnownError from error
        return person_of(claims)


def person_of(claims: Claims) -> Person:
    """What checked claims say. A claim of another form says nothing."""
    return Person(
        subject=str(claims["sub"])[:256],
        organization=str(claims.get(ORGANIZATION, claims["sub"]))[:256],
        roles=_names(claims, ROLES),
        districts=_names(claims, DISTRICTS),
        accounts=_names(claims, ACCOUNTS),
    )


def _names(claims: Claims, name: str) -> frozenset[str]:
    found = claims.get(name, [])
    return frozenset(one for one in found if isinstance(one, str)) if type(found) is list else (
        frozenset()
    )  # fmt: skip


def issuer_of(config: Config) -> Issuer | None:
    """Whose tokens this gateway takes; None: nobody's."""
    people = config.people
    if people is not None:
        return Issuer(people, Keys(_loader(people)))
    if not config.on_loopback:
        return None
    return Issuer(trial.PEOPLE, Keys(lambda: trial.keys(config.state)))


def _loader(people: People) -> Callable[[], jwt.PyJWKSet]:
    if people.keys is not None:
        path = people.keys
        return lambda: jwt.PyJWKSet.from_json(path.read_text())
    assert people.keys_url is not None
    client = jwt.PyJWKClient(people.keys_url, timeout=limits.KEYS_ANSWER_S)
    return lambda: client.get_jwk_set(refresh=True)
