# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway register`: push registration documents onto the ledger.

The file is one JSON object: `factors`, `calendars` and `districts` (arrays of documents for the
registry) and `documents` (district id to an array of site, point, device and exchange documents).
These may carry the operator's own names: they travel in the transient map and stand on the ledger
under pseudonyms. What the registry holds already is left alone; the metering contract ignores
documents it holds. So the command may be run again after any failure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import Ledger, Refused, definition_of
from pedchain_gateway.ledger.steps import private, submit_step

REGISTRY = "registry"
_EXCHANGE = "exchange/1"
_BEHIND = frozenset({"not-in-registry", "not-adopted", "unknown-device"})
"""What a peer says that has not seen yet what we committed a moment ago."""
Document = dict[str, Any]


class RegistrationError(Exception):
    """The file is not what it must be; the text says where."""


@dataclass(frozen=True, slots=True)
class Registration:
    """Everything to register."""

    factors: Sequence[Document]
    calendars: Sequence[Document]
    districts: Sequence[Document]
    documents: Mapping[str, Sequence[Document]]


def load(path: Path) -> Registration:
    """Read the file. Raises `RegistrationError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(limits.REGISTRATION_FILE_BYTES_MAX + 1)
        bounds = canonical.Limits(size=limits.REGISTRATION_FILE_BYTES_MAX)
        found = canonical.decode(raw, bounds)
    except OSError as error:
        raise RegistrationError(f"{path}: {error.strerror}") from error
    except canonical.CanonicalError as error:
        raise RegistrationError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise RegistrationError(f"{path}: must be one object")
    unknown = found.keys() - {"factors", "calendars", "districts", "documents"}
    if unknown:
        raise RegistrationError(f"{path}: {min(unknown)} is not known")
    documents = found.get("documents", {})
    if not isinstance(documents, dict):
        raise RegistrationError(f"{path}: documents must be an object by district")
    return Registration(
        factors=_array(found, "factors"),
        calendars=_array(found, "calendars"),
        districts=_array(found, "districts"),
        documents={district: _array(documents, district) for district in documents},
    )


def _array(found: Mapping[str, Any], name: str) -> list[Document]:
    value = found.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RegistrationError(f"{name} must be an array of documents")
    return value


async def register(
    ledger: Ledger, registration: Registration, report: Callable[[str], None]
) -> None:
    """Push everything in the order the contracts need. Raises any `LedgerError`."""
    for name, documents, key in (
        ("Factors", registration.factors, "version"),
        ("Calendar", registration.calendars, "id"),
    ):
        for document in documents:
            await _put(ledger, name, str(document[key]), document, report, named=True)
    for district in registration.districts:
        await _put(ledger, "District", str(district["id"]), district, report, named=False)
        name = str(district["id"])
        await submit_step(ledger, definition_of(name), "Adopt", name, lagging=_BEHIND)
        report(f"{name} adopted")
    for district_id, documents in registration.documents.items():
        await _members(ledger, district_id, documents, report)


async def _members(
    ledger: Ledger,
    district: str,
    documents: Sequence[Document],
    report: Callable[[str], None],
) -> None:
    """Sites, points and devices in chunks; then exchanges, which need their devices."""
    definition = definition_of(district)
    exchanges = [one for one in documents if one.get("schema") == _EXCHANGE]
    others = [one for one in documents if one.get("schema") != _EXCHANGE]
    done = 0
    for chunk in _chunks(others):
        sent = private(documents=chunk)
        await submit_step(ledger, definition, "Register", "", transient=sent, lagging=_BEHIND)
        done += len(chunk)
        report(f"{district} {done} of {len(others)} documents registered")
    for exchange in exchanges:
        sent = private(document=exchange)
        await submit_step(ledger, definition, "ExchangeMeter", transient=sent, lagging=_BEHIND)
        report(f"{district} meter {exchange.get('old')} exchanged for {exchange.get('new')}")


async def _put(
    ledger: Ledger,
    name: str,
    identifier: str,
    document: Document,
    report: Callable[[str], None],
    *,
    named: bool,
) -> None:
    try:
        held = await ledger.evaluate(REGISTRY, f"Get{name}", identifier)
    except Refused as error:
        if error.reason != "not-found":
            raise
        held = b""
    if held == canonical.encode(document):
        report(f"{name.lower()} {identifier} unchanged")
        return
    arguments = (identifier, _text(document)) if named else (_text(document),)
    await submit_step(ledger, REGISTRY, f"Put{name}", *arguments)
    report(f"{name.lower()} {identifier} put")


def _chunks(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    for start in range(0, len(documents), limits.DOCUMENTS_PER_REGISTER):
        yield documents[start : start + limits.DOCUMENTS_PER_REGISTER]


def _text(value: object) -> str:
    return canonical.encode(value).decode()
