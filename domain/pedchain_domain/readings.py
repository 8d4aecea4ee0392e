# SPDX-License-Identifier: Apache-2.0
"""Two verdicts per record: authentic and certifiable (rules R1), and the row that is kept of it.

    row  [device, counter, payload_digest, record_mark, status, columns]

Sameness is equal payload bytes, so the digest is the payload's. The mark is a shortened hash of
the whole record: it holds the signature's randomness, which nobody without the record can guess,
and so serves as salt that dies with the record (rules C5).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pedchain_domain import columns, documents, lifecycle, limits, ocmf, registers, transactions
from pedchain_domain.columns import Columns, Value
from pedchain_domain.documents import Document
from pedchain_domain.ocmf import Reading, Record
from pedchain_domain.reasons import DomainError, Reason, status_of

Row = list[Any]
SUBSTITUTE = "S"


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
    """Whether a parsed record is authentic, and its row: `signer`, the signature, `judged`.

    `device` is the registered device the record names; (`network`, `channel`) is the ledger it
    must be meant for; `latest` bounds its instants (the transaction's own time plus tolerance).
    """
    spki = signer(record, device, (network, channel), latest)
    if device is None or isinstance(spki, Reason):
        return Judgement(spki if isinstance(spki, Reason) else Reason.UNKNOWN_DEVICE, None)
    try:
        ocmf.verify(record, ocmf.load_key(spki))
    except ocmf.OcmfError as err:
        return Judgement(err.reason, None)
    return judged(received, record, device)


def signer(
    record: Record, device: Document | None, domain: tuple[str, str], latest: int | None
) -> str | Reason:
    """The key (hex) a record must be signed with, or why it is refused whoever signed it. Verifying
    the signature is the costly part and comes after."""
    refusal = _refusal(record, device, domain, latest)
    if refusal is not None or device is None:
        return refusal or Reason.UNKNOWN_DEVICE
    return _key(device, record) or Reason.COUNTER_BEFORE_FIRST


def judged(received: bytes, record: Record, device: Document) -> Judgement:
    """The row of a record whose signature holds."""
    values, doubts = _certified(record, device)
    charged = record.context == transactions.CONTEXT
    status = Reason.RECORDED if values[columns.TIMES] and not charged else Reason.NOT_CERTIFIABLE
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
    told = (record.readings, record.extensions)
    if latest is not None and any(one.instant > latest for found in told for one in found):
        return Reason.IN_THE_FUTURE
    return None


def _certified(record: Record, device: Document) -> tuple[Columns, tuple[Reason, ...]]:
    """The columns of what can be certified, and why the rest cannot."""
    charged = record.context == transactions.CONTEXT
    values, substitutes = list[Value](), list[Value]()
    doubts: dict[Reason, None] = {}
    sources = (
        (record.readings, registers.OCMF_UNITS),
        (record.extensions, registers.EXTENSION_UNITS),
    )
    for found, units in sources:
        if not found:
            continue
        for reading, value in zip(found, _values(found, device, units), strict=True):
            if isinstance(value, Reason):
                doubts[value] = None
            elif reading.status == SUBSTITUTE and not charged:
                substitutes.append(value)
            else:
                values.append(value)
    if charged:
        return _charged(record, values, doubts)
    return columns.of(values, substitutes), tuple(doubts)


def _values(
    found: Sequence[Reading], device: Document, units: dict[str, tuple[int, int]]
) -> Iterator[Value | Reason]:
    """What each reading says, or why it is not certifiable. What its texts mean is looked up once
    for all that have the same."""
    since, until = device["from"], device["to"]
    last = limits.LATEST_INSTANT if until is None else until
    windows = device.get("suspended")
    known: dict[tuple[str, ...], _Register | Reason] = {}
    for reading in found:
        texts, instant = reading[3:], reading[0]
        register = known.get(texts)
        if register is None:
            register = known[texts] = _about(reading, device, units)
        if isinstance(register, Reason):
            yield register
        elif not since <= instant <= last:
            yield Reason.NOT_INSTALLED
        elif windows and lifecycle.suspended_at(device, instant):
            yield Reason.SUSPENDED
        else:
            yield _value(instant, reading[1], register)


class _Register(NamedTuple):
    """What a reading's texts mean: its role, and the factor to whole units."""

    role: str
    num: int
    den: int


def _charged(
    record: Record, values: list[Value], doubts: dict[Reason, None]
) -> tuple[Columns, tuple[Reason, ...]]:
    """What a transaction charged: never certifiable (R1), and detail only if it is whole and none
    of its readings is in doubt (R7)."""
    whole = transactions.is_whole(record) and not doubts
    return columns.in_order(values if whole else []), (Reason.TRANSACTION_CONTEXT, *doubts)


def _about(
    reading: Reading, device: Document, units: dict[str, tuple[int, int]]
) -> _Register | Reason:
    """The register a reading's texts name, or why it is not certifiable (rules R1)."""
    if reading.state != "S":
        return Reason.CLOCK_NOT_SYNCHRONISED
    if reading.status not in ("G", SUBSTITUTE):
        return Reason.METER_STATUS
    if reading.status == SUBSTITUTE and device.get("authority") != "dso":
        return Reason.SUBSTITUTE_WITHOUT_AUTHORITY
    if reading.errors != "":
        return Reason.ERROR_FLAG
    register = device["registers"].get(reading.obis)
    if register is None:
        return Reason.UNMAPPED_REGISTER
    if reading.unit not in units:
        return Reason.UNKNOWN_UNIT
    num, den = units[reading.unit]
    return _Register(register["role"], num * register.get("num", 1), den * register.get("den", 1))


def _value(instant: int, text: str, register: _Register) -> Value | Reason:
    role, num, den = register
    try:
        return instant, role, registers.to_whole(text, (num, den))
    except DomainError as err:
        return err.reason
