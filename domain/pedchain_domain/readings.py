# SPDX-License-Identifier: Apache-2.0
"""Two verdicts per record: authentic and certifiable (rules R1), and the row that is kept of it.

    row  [device, counter, payload_digest, record_mark, status, [[instant, role, whole, class]...]]

Sameness is equal payload bytes, so the digest is the payload's. The mark is a shortened hash of
the whole record: it holds the signature's randomness, which nobody without the record can guess,
and so serves as salt that dies with the record (rules C5).
"""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from pedchain_domain import documents, lifecycle, ocmf, registers, transactions
from pedchain_domain.documents import Document
from pedchain_domain.ocmf import Reading, Record
from pedchain_domain.reasons import DomainError, Reason, status_of

Row = list[Any]
MEASURED, SUBSTITUTE = "M", "S"


class Judgement(NamedTuple):
    """What became of a record: its status, its row if it is authentic, and why readings of it
    cannot be certified, if some cannot."""

    status: Reason
    row: Row | None
    doubts: tuple[Reason, ...] = ()


def payload_digest(record: Record) -> str:
    """SHA-256 of the signed payload, hex: what duplicates share and conflicts do not."""
    return hashlib.sha256(record.payload).hexdigest()


def record_mark(received: bytes) -> str:
    """The first 128 bits of SHA-256 of the received record, hex."""
    return hashlib.sha256(received).hexdigest()[:32]


def derive_salt(label: str, parts: Iterable[str]) -> str:
    """A 128-bit salt, hex, from salts or marks that are themselves secret."""
    material = "\x00".join([label, *parts])
    return hashlib.sha256(material.encode()).hexdigest()[:32]


def judge(
    received: bytes,
    record: Record,
    device: Document | None,
    network: str,
    channel: str,
    latest: int | None = None,
) -> Judgement:
    """Whether a parsed record is authentic, and its row.

    `device` is the registered device the record names; (`network`, `channel`) is the ledger it
    must be meant for; `latest` bounds its instants (the transaction's own time plus tolerance).
    Verifying the signature is the costly part and comes last.
    """
    refusal = _refusal(record, device, (network, channel), latest)
    if refusal is not None or device is None:
        return Judgement(refusal or Reason.UNKNOWN_DEVICE, None)
    spki = _key(device, record)
    if spki is None:
        return Judgement(Reason.COUNTER_BEFORE_FIRST, None)
    try:
        ocmf.verify(record, ocmf.load_key(spki))
    except ocmf.OcmfError as err:
        return Judgement(err.reason, None)
    values, doubts = _certified(record, device)
    charged = record.context == transactions.CONTEXT
    status = Reason.RECORDED if values and not charged else Reason.NOT_CERTIFIABLE
    row = [
        transactions.row_name(device["id"]) if charged else device["id"],
        record.counter,
        payload_digest(record),
        record_mark(received),
        status_of(status),
        values,
    ]
    return Judgement(status, row, doubts)


def _key(device: Document, record: Record) -> str | None:
    """The key a record must be signed with. Transactions are counted apart (OCMF), so that no
    counter tells which key was in force: theirs is the newest."""
    if record.context == transactions.CONTEXT:
        newest: str = device["key"]["spki"]
        return newest
    return documents.key_at(device, record.counter)


def _refusal(
    record: Record, device: Document | None, domain: tuple[str, str], latest: int | None
) -> Reason | None:
    if device is None:
        return Reason.UNKNOWN_DEVICE
    # A device registered under a pseudonym comes with the name it was found by.
    if device.get("name", device["id"]) not in (record.device, record.gateway):
        return Reason.KEY_METER_MISMATCH
    # A calibrated meter of another maker cannot carry our tag; it then stands for one ledger only
    # because it is registered on one.
    untagged = record.domain is None and device.get("authority") == "meter"
    if record.domain != domain and not untagged:
        return Reason.WRONG_DOMAIN
    charged = record.context == transactions.CONTEXT
    if "revoked" in device and (charged or record.counter >= device["revoked"]):
        return Reason.REVOKED_KEY
    if latest is not None and any(reading.instant > latest for reading in record.readings):
        return Reason.IN_THE_FUTURE
    return None


def _certified(record: Record, device: Document) -> tuple[list[list[Any]], tuple[Reason, ...]]:
    values, doubts = list[list[Any]](), dict[Reason, None]()
    sources = (
        (record.readings, registers.OCMF_UNITS),
        (record.extensions, registers.EXTENSION_UNITS),
    )
    for found, units in sources:
        for reading in found:
            doubt = doubt_of(record, reading, device, units)
            value = doubt or _value(reading, device, units)
            if isinstance(value, Reason):
                doubts[value] = None
            else:
                values.append(value)
    if record.context == transactions.CONTEXT:
        return _charged(record, values, doubts)
    return values, tuple(doubts)


def _charged(
    record: Record, values: list[list[Any]], doubts: dict[Reason, None]
) -> tuple[list[list[Any]], tuple[Reason, ...]]:
    """What a transaction charged: never certifiable (R1), and detail only if it is whole and none
    of its readings is in doubt (R7)."""
    whole = transactions.is_whole(record) and not doubts
    kept = [[*value[:3], transactions.KIND] for value in values] if whole else []
    return kept, (Reason.TRANSACTION_CONTEXT, *doubts)


def doubt_of(
    record: Record, reading: Reading, device: Document, units: dict[str, tuple[int, int]]
) -> Reason | None:
    """Why a reading of an authentic record is not certifiable (rules R1), or None.

    Whether its register can be read is seen when it is.
    """
    if reading.state != "S":
        return Reason.CLOCK_NOT_SYNCHRONISED
    if reading.status not in ("G", "S"):
        return Reason.METER_STATUS
    if reading.status == "S" and device.get("authority") != "dso":
        return Reason.SUBSTITUTE_WITHOUT_AUTHORITY
    if reading.errors != "":
        return Reason.ERROR_FLAG
    if reading.obis not in device["registers"]:
        return Reason.UNMAPPED_REGISTER
    if reading.unit not in units:
        return Reason.UNKNOWN_UNIT
    if not _installed(device, reading.instant):
        return Reason.NOT_INSTALLED
    return Reason.SUSPENDED if lifecycle.suspended_at(device, reading.instant) else None


def _installed(device: Document, instant: int) -> bool:
    until = device["to"]
    return bool(device["from"] <= instant and (until is None or instant <= until))


def _value(
    reading: Reading, device: Document, units: dict[str, tuple[int, int]]
) -> list[Any] | Reason:
    register = device["registers"][reading.obis]
    try:
        whole = registers.to_whole(
            reading.register, units[reading.unit], register.get("num", 1), register.get("den", 1)
        )
    except DomainError as err:
        return err.reason
    kind = SUBSTITUTE if reading.status == "S" else MEASURED
    return [reading.instant, register["role"], whole, kind]
