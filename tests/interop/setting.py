# SPDX-License-Identifier: Apache-2.0
"""What a test finds: a network with the contracts under test, and clients of one kind for it."""

import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.interop.clients.careful import Careful, status_request
from tests.interop.clients.model import Call, Client, Outcome
from tests.interop.clients.node import Driver, NodeClient
from tests.interop.clients.python import PythonClient
from tests.scenarios import harness

ORGANIZATIONS: Final = ("DSO", "DistrictA", "DistrictB", "Aggregator")
_FOLDER: Final = Path(__file__).parent
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@contextmanager
def network(runtime: str, directory: Path, shims: tuple[str, ...]) -> Iterator[harness.Network]:
    """The network on free ports, up, with the definitions these shims can serve."""
    topology = directory / "interop.yaml"
    topology.write_text(_only(shims, (_FOLDER / "consortium.yaml").read_text()))
    command = ("python", str(_FOLDER / "serve.py"))
    with harness.network(runtime, directory, command, topology) as made:
        made.run("up")
        yield made


def _only(shims: tuple[str, ...], topology: str) -> str:
    """The topology without what other shims would have to serve."""
    for absent in {"node", "fcp"} - set(shims):
        topology = re.sub(rf"(packages: .*), {absent}\b", r"\1", topology)
        topology = re.sub(rf"  - name: \S+\n    package: {absent}\n(?:    .*\n)*", "", topology)
    return topology


@dataclass
class Clients:
    """Clients of one kind, one per user, opened when first asked for."""

    kind: str
    network: harness.Network
    stack: AsyncExitStack
    opened: dict[tuple[str, str, bool], Client] = field(default_factory=dict)
    driver: Driver | None = None

    async def of(self, organization: str, user: str = "gateway", *, signs: bool = True) -> Client:
        """The client of an organisation's user; without `signs` it has no key."""
        key = (organization, user, signs)
        if key not in self.opened:
            made = await self._open(self.network.profile(organization), user, signs=signs)
            self.stack.push_async_callback(made.close)
            self.opened[key] = made
        return self.opened[key]

    async def guest(self, profile: Path, user: str) -> Client:
        """A client of a user that only this profile knows."""
        made = await self._open(profile, user, signs=True)
        self.stack.push_async_callback(made.close)
        return made

    async def _open(self, profile: Path, user: str, *, signs: bool) -> Client:
        made: Client
        if self.kind == "python":
            made = await PythonClient.open(profile, user, signs=signs)
        else:
            made = await NodeClient.open(await self._started(), profile, user, signs=signs)
        # Its type is told by hand: what it does not do itself it hands on.
        return cast(Client, Careful(made, profile, user))

    async def _started(self) -> Driver:
        if self.driver is None:
            self.driver = await Driver.start()
            self.stack.push_async_callback(self.driver.stop)
        return self.driver

    def sign(self, organization: str, digest: bytes, user: str = "gateway") -> bytes:
        """What the user's key makes of a digest, with a low S as Fabric demands."""
        profile = self.network.profile(organization)
        path = json.loads(profile.read_text())["users"][user]["key"]
        key = load_pem_private_key((profile.parent / path).read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        return encode_dss_signature(r, min(s, _P256_ORDER - s))


def asked_by(clients: Clients, organization: str, transaction_id: str) -> bytes:
    """An organisation's request, unsigned, for the status of anybody's transaction."""
    return status_request(clients.network.profile(organization), "gateway", transaction_id)


async def everywhere(clients: Clients, call: Call, organization: str = "DSO") -> Outcome:
    """Submit, and wait until every organisation's peer has the block: peers lag behind."""
    sent = await (await clients.of(organization)).submit_async(call)
    found = []
    for each in ORGANIZATIONS:
        request = asked_by(clients, each, sent.transaction_id)
        found.append(await (await clients.of(each)).status(request))
    return found[0]


def script(
    chaincode: str,
    *steps: list[Any],
    organizations: tuple[str, ...] = (),
    **transient: str,
) -> Call:
    """A call that has a chaincode carry out these steps; `organizations` without their "MSP"."""
    return Call(
        chaincode,
        "Run",
        (json.dumps(steps).encode(),),
        {name: value.encode() for name, value in transient.items()},
        tuple(f"{each}MSP" for each in organizations),
    )


def answers(result: bytes) -> list[Any]:
    """What the steps of a script gave."""
    found: list[Any] = json.loads(result)
    return found
