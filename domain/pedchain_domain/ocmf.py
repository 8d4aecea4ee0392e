# SPDX-License-Identifier: Apache-2.0
"""Open Charge Metering Format 1.4.1: reading, verifying and making signed meter records.

A record is `OCMF|payload|signature`. The signature covers the payload's bytes as they stand
between the pipes, so those bytes are what is kept, verified and compared; nothing is ever
re-serialised. Numbers stay text: a register value never passes through a float (rules R2).
"""

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import canonical, der, instants, limits, text
from pedchain_domain.canonical import Value
from pedchain_domain.reasons import DomainError, Reason

ALGORITHM = "ECDSA-secp256r1-SHA256"
ALGORITHM_K1 = "ECDSA-secp256k1-SHA256"
_ORDERS = {ALGORITHM: der.ORDER, ALGORITHM_K1: der.ORDER_K1}
_ALGORITHMS = {"secp256r1": ALGORITHM, "secp256k1": ALGORITHM_K1}
_BOUNDS = canonical.Limits(size=limits.RECORD_BYTES, depth=limits.RECORD_DEPTH)
# Records as `build` and `seal` write them, most of all that are ever read; what is spelt otherwise
# goes through the JSON reader, which gives the same.
_PLAIN = r"[ !#-\[\]-{}~]"
_ENTRY = re.compile(
    rf'(?:"TM":"({_PLAIN}+)",)?"RV":"({_PLAIN}+)","RI":"({_PLAIN}*)","RU":"({_PLAIN}*)"'
    rf'(?:,"ST":"({_PLAIN}+)")?\Z'
)
_OURS = re.compile(
    rf'OCMF\|(\{{"FV":"{_PLAIN}*","GI":"{_PLAIN}*","GS":"({_PLAIN}*)","GV":"{_PLAIN}*",'
    rf'"PG":"([FT])(0|[1-9][0-9]{{0,14}})","MS":"({_PLAIN}*)",'
    r'"RD":\[\{([ !-Z^-{}~]*)\}\],'
    rf'"U":\{{"ch":"({_PLAIN}*)","net":"({_PLAIN}*)"\}}\}})'
    r'\|\{"SA":"ECDSA-secp256r1-SHA256","SD":"([0-9a-f]+)"\}\Z'
)
_TEXTS = ("TM", "TX", "RI", "RU", "EF", "ST")
_COUNTER_DIGITS = 15
_NO_REASONS: Final[Mapping[int, str]] = MappingProxyType({})

_HASHED = ec.ECDSA(SHA256())

PublicKey = ec.EllipticCurvePublicKey
PrivateKey = ec.EllipticCurvePrivateKey


class OcmfError(DomainError):
    """A record that cannot be read or whose signature does not hold; `reason` says which."""


class Number(str):
    """A JSON number as its text."""

    __slots__ = ()


_READER = canonical.reader(Number)


class Reading(NamedTuple):
    """One entry of `RD`, with what it leaves out taken from the entry before it.

    `instant` is epoch seconds; `register` is the decimal text of `RV`; `reason` is `TX`. The rest
    is mostly the same from entry to entry: `state` is the clock's U, I, S or R, `obis` is
    `RI`, `unit` is `RU`, `status` is `ST`, `errors` is `EF`.
    """

    instant: int
    register: str
    reason: str
    state: str
    obis: str
    unit: str
    status: str
    errors: str


_reading = Reading._make


class Record(NamedTuple):
    """A parsed record. `payload` and `signature` (strict DER) are as received.

    `context` is T (transaction) or F (fiscal) and `counter` its number, from `PG`; `meter` is `MS`
    and `gateway` is `GS`; `domain` is our tag (network, channel) from the vendor field `U`.
    `extensions` are readings of the vendor field `V`, for units OCMF lacks (rules M2).
    """

    payload: bytes
    signature: bytes
    algorithm: str
    context: str
    counter: int
    meter: str
    gateway: str
    domain: tuple[str, str] | None
    readings: tuple[Reading, ...]
    extensions: tuple[Reading, ...]

    @property
    def device(self) -> str:
        """The device the record names: `MS`, or `GS` of a gateway without a separate meter."""
        return self.meter or self.gateway


def parse(record: bytes) -> Record:
    """Read a record; OcmfError `record-too-large`, `malformed-record`, `malformed-signature`."""
    if len(record) > limits.RECORD_BYTES:
        raise OcmfError(Reason.RECORD_TOO_LARGE)
    return _ours(record) or _any(record)


def _ours(record: bytes) -> Record | None:
    """A record as our agents spell it: no name twice, nothing nested, no escapes. None for any
    other, and for what is wrong with one: the general reader says what."""
    match = _OURS.match(record.decode()) if record.isascii() else None
    if match is None:
        return None
    gateway, context, counter, meter, entries, channel, network, signed = match.groups()[1:]
    readings, signature = _entries_read(entries.split("},{")), text.from_hex(signed)
    if readings is None or signature is None or not der.is_signature(signature):
        return None
    return Record(
        record[match.start(1) : match.end(1)],
        signature,
        ALGORITHM,
        context,
        int(counter),
        meter,
        gateway,
        (network, channel),
        readings,
        (),
    )


def _entries_read(entries: Sequence[str]) -> tuple[Reading, ...] | None:
    """Readings of the texts between the braces, if each is spelt as `build` does."""
    if len(entries) > limits.READINGS_PER_RECORD:
        return None
    found = []
    instant, state, status = -1, "", ""
    for entry in entries:
        match = _ENTRY.match(entry)
        if match is None:
            return None
        time, register, obis, unit, changed = match.groups()
        if time is not None:
            try:
                instant, state = instants.parse_ocmf(time)
            except DomainError:
                return None
        if changed is not None:
            status = changed
        if instant < 0 or len(register) > limits.REGISTER_TEXT:
            return None
        found.append(_reading((instant, register, "", state, obis, unit, status, "")))
    return tuple(found)


def _any(record: bytes) -> Record:
    parts = record.split(b"|")
    if len(parts) != 3 or parts[0] != b"OCMF":
        raise OcmfError(Reason.MALFORMED_RECORD, "sections")
    payload = _read(parts[1])
    signature, algorithm = _signature(parts[2])
    context, counter = _pagination(_string(payload, "PG"))
    return Record(
        payload=parts[1],
        signature=signature,
        algorithm=algorithm,
        context=context,
        counter=counter,
        meter=_string(payload, "MS"),
        gateway=_string(payload, "GS"),
        domain=_domain(payload.get("U")),
        # A record of other carriers alone has no OCMF register (rules M2).
        readings=() if "V" in payload and payload.get("RD") == [] else _readings(payload.get("RD")),
        extensions=_readings(payload["V"]) if "V" in payload else (),
    )


def load_key(spki_hex: str) -> PublicKey:
    """The public key a device is registered with; DomainError `malformed-key`."""
    return der.meter_key(spki_hex)


def verify(record: Record, key: PublicKey) -> None:
    """Check the signature over the received payload; OcmfError.

    The algorithm is the registered key's; a record that names another is `algorithm-mismatch`.
    Any other error of the library propagates: it is no verdict on the record.
    """
    if record.algorithm != _ALGORITHMS[key.curve.name]:
        raise OcmfError(Reason.ALGORITHM_MISMATCH)
    try:
        key.verify(record.signature, record.payload, _HASHED)
    except InvalidSignature as err:
        raise OcmfError(Reason.BAD_SIGNATURE) from err


def build(
    *,
    device: str,
    counter: int,
    readings: Sequence[tuple[int, str, str, str]],
    network: str,
    channel: str,
    gateway: tuple[str, str, str] = ("pedchain", "", "1"),
    state: str = "S",
    status: str = "G",
    extensions: Sequence[tuple[int, str, str, str]] = (),
    reasons: Mapping[int, str] = _NO_REASONS,
) -> bytes:
    """Payload bytes of a record of our agents: fiscal (`PG` F), or of a charging transaction (T).

    `readings` are (instant, obis, register text, unit); `gateway` is (GI, GS, GV). `reasons` are a
    transaction's `TX` by instant (B begins, E ends). A later reading at the same instant leaves out
    what it inherits, as OCMF allows.
    """
    identification, serial, version = gateway
    payload: dict[str, object] = {
        "FV": "1.4",
        "GI": identification,
        "GS": serial or device,
        "GV": version,
        "PG": f"{'T' if reasons else 'F'}{counter}",
        "MS": device,
        "RD": _entries(readings, state, status, reasons),
        "U": {"ch": channel, "net": network},
    }
    if extensions:
        payload["V"] = _entries(extensions, state, status)
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def sign(payload: bytes, key: PrivateKey) -> bytes:
    """The record of a payload, signed with a P-256 key."""
    return seal(payload, key.sign(payload, ec.ECDSA(SHA256())))


def seal(payload: bytes, signature: bytes) -> bytes:
    """The record of a payload and its DER signature, made elsewhere (a secure element)."""
    return b'OCMF|%s|{"SA":"%s","SD":"%s"}' % (
        payload,
        ALGORITHM.encode(),
        signature.hex().encode(),
    )


def _entries(
    readings: Sequence[tuple[int, str, str, str]],
    state: str,
    status: str,
    reasons: Mapping[int, str] = _NO_REASONS,
) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    shown = None
    for instant, obis, register, unit in readings:
        entry = {"RV": register, "RI": obis, "RU": unit}
        if instant != shown:
            entry = {"TM": instants.format_ocmf(instant, state), **entry}
            if instant in reasons:
                entry["TX"] = reasons[instant]
        if not entries:
            entry["ST"] = status
        entries.append(entry)
        shown = instant
    return entries


def _read(section: bytes) -> dict[str, Value]:
    try:
        value = canonical.parse(section, _BOUNDS, _READER, integers=False)
    except canonical.CanonicalError as err:
        raise OcmfError(Reason.MALFORMED_RECORD, str(err.reason)) from err
    if not isinstance(value, dict):
        raise OcmfError(Reason.MALFORMED_RECORD, "not an object")
    return value


def _string(section: Mapping[str, Value], name: str, default: str = "") -> str:
    value = section.get(name)
    if value is None:
        return default
    if type(value) is not str:
        raise OcmfError(Reason.MALFORMED_RECORD, name)
    return value


def _signature(received: bytes) -> tuple[bytes, str]:
    section = _read(received)
    encoding, data = _string(section, "SE", "hex"), _string(section, "SD")
    if encoding == "hex":
        signature = text.from_hex(data)
    elif encoding == "base64":
        signature = text.from_base64(data)
    else:
        signature = None
    if signature is None:
        raise OcmfError(Reason.MALFORMED_SIGNATURE)
    algorithm = _string(section, "SA", ALGORITHM)
    if algorithm in _ORDERS:
        try:
            der.signature_values(signature, _ORDERS[algorithm])
        except DomainError as err:
            raise OcmfError(err.reason) from err
    return signature, algorithm


def _pagination(pagination: str) -> tuple[str, int]:
    counter = text.integer(pagination[1:], _COUNTER_DIGITS)
    if pagination[:1] not in ("T", "F") or counter is None or counter < 0:
        raise OcmfError(Reason.MALFORMED_RECORD, "PG")
    return pagination[0], counter


def _domain(tag: Value) -> tuple[str, str] | None:
    if not isinstance(tag, dict):
        return None
    network, channel = tag.get("net"), tag.get("ch")
    if type(network) is not str or type(channel) is not str:
        return None
    return network, channel


def _readings(entries: Value) -> tuple[Reading, ...]:
    if not isinstance(entries, list) or not 0 < len(entries) <= limits.READINGS_PER_RECORD:
        raise OcmfError(Reason.MALFORMED_RECORD, "RD")
    found, shown = [], dict.fromkeys(_TEXTS, "")
    for entry in entries:
        if not isinstance(entry, dict):
            raise OcmfError(Reason.MALFORMED_RECORD, "RD")
        for name, value in entry.items():
            if name in _TEXTS:
                shown[name] = value if type(value) is str else _string(entry, name)
        try:
            instant, state = instants.parse_ocmf(shown["TM"])
        except DomainError as err:
            raise OcmfError(Reason.MALFORMED_RECORD, "TM") from err
        register = entry.get("RV")
        if not isinstance(register, str) or not 0 < len(register) <= limits.REGISTER_TEXT:
            raise OcmfError(Reason.MALFORMED_RECORD, "RV")
        about = (state, shown["RI"], shown["RU"], shown["ST"], shown["EF"])
        found.append(_reading((instant, str(register), shown["TX"], *about)))
    return tuple(found)
