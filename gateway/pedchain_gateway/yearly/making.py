# SPDX-License-Identifier: Apache-2.0
"""Making a district's folder from its ledger, anew each day, and holding one against it."""

import json
from pathlib import Path
from typing import Any

from pedchain_domain import canonical
from pedchain_domain.instants import DAY
from pedchain_domain.ocmf import PrivateKey
from pedchain_gateway.exporting.ledger import Span, certificates, months, samples
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.queries import ask, ask_document
from pedchain_gateway.yearly import contents, seal

Document = dict[str, Any]
LATEST = "latest.json"
VALID_DAYS = 7


async def make(
    ledger: Ledger, district: str, out: Path, key: PrivateKey, check: str, now: int
) -> Document:
    """Write the folder of the newest certified day; {"code", "folder", "until", "check"}.

    `check` is the address under which the public finds the district's gateway. A folder that still
    says what the ledger says is left alone until half its time is over. Raises any `LedgerError`.
    """
    found, transaction = await sources(ledger, district)
    base = out / district
    latest = _latest(base)
    certificate = found.certificate
    stands = {"day": certificate["day"], "version": certificate["version"]}
    stands["samples"] = max((one["at"] for one in found.samples), default=0)
    fresh = latest.get("until", 0) - now > VALID_DAYS * DAY // 2
    if fresh and {name: latest.get(name) for name in stands} == stands:
        return latest
    files = contents.files(found)
    manifest: Document = {
        "schema": "yearly/1",
        "district": district,
        "day": certificate["day"],
        "run": certificate["run"],
        "version": certificate["version"],
        "transaction": transaction,
        "files": seal.digests(files),
        "made": now,
        "until": now + VALID_DAYS * DAY,
        "check": f"{check.rstrip('/')}/page/districts/{district}/certificates/{certificate['day']}",
    }
    folder = base / f"{certificate['day']}-{now}"
    code = seal.write(folder, files, manifest, key)
    told = {"code": code, "folder": folder.name, "until": manifest["until"], **stands}
    told["check"] = manifest["check"]
    part = base / f".{LATEST}.part"
    part.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    part.replace(base / LATEST)
    return told


async def sources(ledger: Ledger, district: str) -> tuple[contents.Sources, str]:
    """What a folder is made of, and the transaction of its certificate."""
    definition = definition_of(district)
    newest: Document | None = None
    async for one in certificates(ledger, Span(district, "0000-01-01", "9999-12-31")):
        newest = one
    if newest is None:
        raise Refused("not-found", "no day of the district is certified")
    rolling = await ask_document(ledger, definition, "GetRolling", newest["day"])
    versions = await ask(ledger, definition, "GetCertificateHistory", newest["day"])
    span = Span(district, rolling["first"], rolling["last"])
    found = contents.Sources(
        certificate=newest,
        rolling=rolling,
        district=await ask_document(ledger, "registry", "GetDistrict", district),
        factors=await ask_document(ledger, "registry", "GetFactors", newest["factors"]),
        months=[one async for one in months(ledger, span)],
        samples=[one async for one in samples(ledger, span)],
    )
    return found, str(versions[0]["transaction"])


async def against_ledger(ledger: Ledger, folder: Path, manifest: Document) -> list[str]:
    """What of the folder the ledger says otherwise by now."""
    definition = definition_of(manifest["district"])
    stands = await ask_document(ledger, definition, "GetCertificate", manifest["day"])
    if canonical.encode(stands) == (folder / "certificate.json").read_bytes():
        return []
    if stands["version"] != manifest["version"]:
        return [f"superseded: version {stands['version']}, run {stands['run']}, is in force"]
    return ["the ledger's certificate is another one"]


def _latest(base: Path) -> Document:
    try:
        found: Document = json.loads((base / LATEST).read_text())
    except (OSError, ValueError):
        return {}
    return found
