# SPDX-License-Identifier: Apache-2.0
"""A start-up check that this process computes what every other one does (blueprint 7).

Edge vectors of every reader and of the arithmetic are run; each outcome, a value or a reason, is
written down and the whole is hashed. Organisations compare the digest, with their versions of
Python, cryptography and OpenSSL, before they trust an endorsement mismatch to be a fault.
"""

import hashlib
from collections.abc import Callable, Iterable

from pedchain_domain import (
    batch,
    canonical,
    der,
    figures,
    instants,
    intervals,
    merkle,
    numbers,
    ocmf,
    registers,
    text,
)
from pedchain_domain.reasons import DomainError

# The digest of this version of the vectors; another outcome anywhere is another digest.
EXPECTED = "f30d81030f2fbceac223a90e88dd5dc0f76654a9f3e193cb6d209c716fc2bb95"

_KEY = (
    "3059301306072A8648CE3D020106082A8648CE3D03010703420004A2C53580D26835738B70B952D99D324B3414D9C0"
    "D93A6CE484FC809C18716809447A3CFF93F051507B3B486ACCB513356AB68E8AE201EE320F7F7DF4A1633B3C"
)
_DOCUMENTS = (
    b'{"a":1,"b":[true,null,"\xc3\xa9"]}', b'{"a":1,"a":2}', b"[1.0]", b"[1e3]", b"[-0]", b"[NaN]",
    b"[01]", b'["\\ud800"]', b'["\\ud83d\\ude00"]', b"[" * 13 + b"]" * 13, b"[1,]", b"\xff",
    "[１]".encode(), b"[" + b"9" * 60 + b"]", b"[" + b"9" * 61 + b"]", b'{"b":1,"a":2}', b' [ 1 ]',
)  # fmt: skip
_TIMES = (
    "2026-03-29T03:00:00,000+0200 S",
    "2024-02-29T23:59:59,999+0000 U",
    "2026-02-29T00:00:00,000+0000 S",
    "1970-01-01T01:01:49,000+0100 U",
    "1970-01-01T00:00:00,000+0100 U",
    "2026-01-01T00:00:60,000+0000 S",
    "2026-01-01T24:00:00,000+0000 S",
    "２026-01-01T00:00:00,000+0000 S",
    "9999-12-31T23:59:59,000-0000 I",
)
_SIGNATURES = (
    "3006020101020101", "30060201010201ff", "3006020100020101", "300702020001020101",
    "308106020101020101", "300602010102010100", "3006020101",
)  # fmt: skip
_NUMBERS = ("0", "-1", "007", "12345678901234567890", "１２", " 1", "1_0")
_HEX = ("00ff", "0 0f", "0", "", "zz", "AbCd")
_BASE64 = ("QUI=", "QUI", "QUJD\n", "QU==", "QR==", "Q U I=")
_REGISTERS = ("1234.56", "1.0008", "0", "1e3", "-1", "1.", ".5", "٣")


class SelfTestError(RuntimeError):
    """This process computes something else than the others: it must not endorse."""


def digest() -> str:
    """SHA-256, hex, over the outcomes of all vectors, in order."""
    lines = "\n".join(outcomes())
    return hashlib.sha256(lines.encode()).hexdigest()


def run() -> str:
    """The digest, if it is the expected one; SelfTestError otherwise."""
    found = digest()
    if found != EXPECTED:
        raise SelfTestError(found)
    return found


def outcomes() -> Iterable[str]:
    """One line per vector: its name and what came of it."""
    yield from _each("canonical", _DOCUMENTS, lambda data: canonical.encode(canonical.decode(data)))
    yield from _each("time", _TIMES, instants.parse_ocmf)
    yield from _each(
        "signature", _SIGNATURES, lambda data: der.signature_values(text.hex_bytes(data))
    )
    yield from _each("integer", _NUMBERS, lambda number: text.integer(number, 18))
    yield from _each("hex", _HEX, text.from_hex)
    yield from _each("base64", _BASE64, text.from_base64)
    yield from _each(
        "register", _REGISTERS, lambda number: registers.to_whole(number, (1_000, 1), 3, 7)
    )
    yield from _arithmetic()
    yield from _records()


def _arithmetic() -> Iterable[str]:
    weights = {"b": 1, "a": 1, "c": 1, "": 0}
    yield f"split {sorted(numbers.split(-100, weights)[0].items())} {numbers.split(7, {'a': 0})}"
    yield f"ppm {numbers.ppm(-1, 3)} {numbers.ppm(1, 0)}"
    yield f"civil {[instants.format_day(day) for day in (0, 11_016, 47_540, 2_932_896)]}"
    yield f"tree {merkle.root([bytes([number]) * 32 for number in range(5)]).hex()}"
    yield f"gii {figures.grid_interaction(4, -2750, 3_262_500, 1550)}"
    yield f"cap {registers.cap(20_000, 900, 900)} {registers.rise(999_999_800, 300, 5_100, 10**9)}"
    known = {0: 1000, 900: 1250, 1800: 1400, 4500: 2300, 5400: 2300}
    knots = [intervals.Knot(at, value) for at, value in known.items()]
    series = intervals.of_register([knots], 0, 5400, 900, intervals.Register(20_000))
    yield f"intervals {series.values} {series.classes}"


def _records() -> Iterable[str]:
    payload = (
        b'{"FV":"1.0","GI":"KEBA_KCP30","GS":"16913115","GV":"2080000","PG":"T46669","IS":false,'
        b'"IF":[],"ID":"","RD":[{"TM":"1970-01-01T01:01:49,000+0100 U","TX":"B","EF":"","ST":"G",'
        b'"RV":1234.56,"RI":"1-b:1.8.0","RU":"kWh"},{"TM":"1970-01-01T01:01:49,000+0100 R",'
        b'"TX":"E","EF":"","ST":"G","RV":1234.56,"RI":"1-b:1.8.0","RU":"kWh"},{"RV":0.00,'
        b'"RI":"1-b:1.9.0","RU":"kWh"}]}'
    )
    signature = (
        b"3046022100E09BE3AB97B453FDB9643079108005436724A84DF2B299F219A92BCC2F021F23022100E01212F1"
        b"CDCD4A8DCAD157FD69E4CACF18272D4093A9C5D59B9E67F0846F1312"
    )
    good = b'OCMF|%s|{"SD":"%s"}' % (payload, signature)
    yield from _each("record", (good, good.replace(b"1234.56", b"1234.57"), good[:-9]), _verified)
    packed = batch.encode([b"a", b"", b"bc"])
    cut = (packed, packed[:-1], packed + b"\x00", packed[:7] + b"\x09" + packed[8:])
    yield from _each("batch", cut, batch.decode)


def _verified(received: bytes) -> str:
    record = ocmf.parse(received)
    ocmf.verify(record, ocmf.load_key(_KEY))
    return f"{record.context}{record.counter} {[reading.register for reading in record.readings]}"


def _each(name: str, vectors: Iterable[object], function: Callable[..., object]) -> Iterable[str]:
    for number, vector in enumerate(vectors):
        try:
            outcome = repr(function(vector))
        except DomainError as err:
            outcome = f"refused {err.reason}"
        yield f"{name} {number} {outcome}"
