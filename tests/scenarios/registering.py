# SPDX-License-Identifier: Apache-2.0
"""What an administrator has at hand for the registry's scenario: documents, keys, the command."""

import io
import json
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_chaincode.metering.devicekeys import rotation_bytes
from pedchain_domain import canonical, der, instants, members, ocmf, onboarding, signed
from pedchain_gateway.cli import app
from tests.scenarios.harness import Network

Document = dict[str, Any]
BIN = Path(sys.executable).parent
DAY = instants.DAY
TODAY = int(time.time()) // DAY
SITE, GRID, SUN, CLAIMED = "POD-IT001E7731", "SN-88120031", "SN-88120032", "SN-88120099"
PERSON = "Canary Cornelia Castelvetrano"
REGISTERS = {
    "1-0:1.8.0*255": {"role": "I", "registration": "net_of_phases"},
    "1-0:2.8.0*255": {"role": "E"},
}


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_document(key: ec.EllipticCurvePrivateKey) -> Document:
    return {"alg": "ES256", "spki": der.spki_hex(key.public_key())}


def with_signature(body: Document, key: ec.EllipticCurvePrivateKey) -> Document:
    message = signed.message(body, network="pedchain", channel="ped", contract=onboarding.CONTRACT)
    return {**body, "signature": key.sign(message, ec.ECDSA(SHA256())).hex()}


def rotation(
    name: str, old: ec.EllipticCurvePrivateKey, new: ec.EllipticCurvePrivateKey, counter: int
) -> Document:
    """A device's new key from a counter on, signed by both."""
    key = key_document(new)
    body = {"schema": "rotate/1", "device": name, "key": key, "first_counter": counter}
    message = rotation_bytes(body, network="pedchain", channel="ped")
    signatures = (each.sign(message, ec.ECDSA(SHA256())).hex() for each in (old, new))
    return {**body, "signatures": dict(zip(("old", "new"), signatures, strict=True))}


def day(ahead: int) -> str:
    return instants.format_day(TODAY + ahead)


def district(name: str, **changes: Any) -> Document:
    return {
        "schema": "district/1",
        "id": name,
        "boundary": {"id": f"{name}-feeder", "kind": "feeder"},
        "zone": "zone-1",
        "grain": 3600,
        "calendar": ["utc"],
        "factors": "f1",
        "dso": "DSOMSP",
        "operator": f"{name}MSP",
        "rule": "R1",
        "shards": 1,
        "parameters": {},
        **changes,
    }


def calendar() -> Document:
    rows = [
        {
            "day": day(ahead),
            "start": (TODAY + ahead) * DAY,
            "end": (TODAY + ahead + 1) * DAY,
            "type": "working",
        }
        for ahead in range(-2, 9)
    ]
    return {"schema": "calendar/1", "id": "utc", "rows": rows}


def factors(version: str = "f1") -> Document:
    return {
        "schema": "factors/1",
        "version": version,
        "source": "made for this scenario",
        "intensity": {"year": {day(0)[:4]: 300_000}},
        "primary": {},
        "reference": {},
        "calorific": {"year": {day(0)[:4]: 10_700}},
    }


def device(name: str, key: ec.EllipticCurvePrivateKey | None) -> Document:
    document = {
        "schema": "device/1",
        "id": name,
        "point": f"{SITE}.gcp",
        "registers": REGISTERS,
        "from": (TODAY - 1) * DAY,
        "to": None,
        "first_counter": 1,
    }
    return document if key is None else {**document, "key": key_document(key)}


def home(key: ec.EllipticCurvePrivateKey) -> list[Document]:
    site = {
        "schema": "site/1",
        "id": SITE,
        "plan": "P0",
        "connection_w": 6_000,
        "feeder": "DistrictA-feeder",
        "substation": "ss-1",
        "zone": "zone-1",
        "heat_network": None,
        "heating": "none",
        "vehicles": "none",
        "from": (TODAY - 1) * DAY,
    }
    point = {
        "schema": "point/1",
        "id": f"{SITE}.gcp",
        "site": SITE,
        "kind": "GCP",
        "parent": None,
        "p_max_w": 6_000,
    }
    return [site, point, device(GRID, key)]


def record(name: str, counter: int, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A record of the last full hour."""
    at = int(time.time()) // 3_600 * 3_600
    values = [(at, "1-0:1.8.0*255", str(7_731 * counter), "Wh")]
    named = {"network": "pedchain", "channel": "ped"}
    return ocmf.sign(ocmf.build(device=name, counter=counter, readings=values, **named), key)


@dataclass
class Person:
    """A member to be: key, identity, and what it signs."""

    name: str = PERSON
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    salt: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def identity(self) -> Document:
        return {"schema": "identity/1", "salt": self.salt, "name": self.name}

    def membership(self) -> Document:
        body = {
            "schema": "membership/1",
            "district": "DistrictA",
            "key": key_document(self.key),
            "identity": members.identity_digest(self.identity),
            "from": (TODAY - 1) * DAY,
        }
        return with_signature(body, self.key)

    def occupancy(self, member: str, begun: int) -> Document:
        body = {
            "schema": "occupancy/1",
            "district": "DistrictA",
            "member": member,
            "site": SITE,
            "from": begun,
            "to": None,
        }
        return with_signature(body, self.key)


@dataclass
class Desk:
    """`ped-gateway` as an administrator calls it, and the files it reads."""

    network: Network
    folder: Path

    def file(self, name: str, document: object) -> str:
        path = self.folder / name
        text = document if isinstance(document, str) else canonical.encode(document).decode()
        path.write_text(text)
        return str(path)

    def call(
        self, organization: str, *words: str, district: str | None = "DistrictA"
    ) -> tuple[int, str, str]:
        """Exit code, output and errors of the command, run here to save its start."""
        command = [*words, "--profile", str(self.network.profile(organization))]
        if district is not None:
            command += ["--district", district]
        out, err = io.StringIO(), io.StringIO()

        def run() -> int:
            with redirect_stdout(out), redirect_stderr(err):
                try:
                    code = app(command, result_action="return_value")
                except SystemExit as ended:
                    code = ended.code
            return int(code or 0)

        # The command has an event loop of its own, as in a process of its own.
        with ThreadPoolExecutor(1) as thread:
            code = thread.submit(run).result(60)
        return code, out.getvalue(), err.getvalue()

    def done(self, organization: str, *words: str, district: str | None = "DistrictA") -> Document:
        """The command's answer, once it has worked."""
        code, out, err = self.call(organization, *words, district=district)
        assert code == 0, err
        found: Document = json.loads(out.splitlines()[-1])
        return found

    def refused(self, organization: str, *words: str, district: str | None = "DistrictA") -> str:
        """The reason the command was refused for."""
        code, out, err = self.call(organization, *words, district=district)
        assert code == 1, out + err
        return err.removeprefix("ped-gateway: ").split(":")[0].strip()

    def register(self, document: Document) -> None:
        """The DSO registers a file, with the installed command."""
        path = self.file("registration.json", document)
        profile = str(self.network.profile("DSO"))
        command = [str(BIN / "ped-gateway"), "register", path, "--profile", profile]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
