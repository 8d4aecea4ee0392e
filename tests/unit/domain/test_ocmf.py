# SPDX-License-Identifier: Apache-2.0
import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import der, limits, ocmf
from pedchain_domain.ocmf import OcmfError
from pedchain_domain.reasons import DomainError, Reason

KEY = ec.derive_private_key(7, ec.SECP256R1())
PAYLOAD = ocmf.build(
    device="m1",
    counter=3,
    readings=[
        (1_767_225_600, "1-0:1.8.0*255", "1.250", "kWh"),
        (1_767_225_600, "1-0:2.8.0*255", "7", "Wh"),
        (1_767_226_500, "1-0:1.8.0*255", "1.300", "kWh"),
    ],
    network="n1",
    channel="ped",
)
RECORD = ocmf.sign(PAYLOAD, KEY)
VECTORS = Path(__file__).parents[2] / "vectors" / "ocmf"
_VALUE = re.compile(r"<signedData[^>]*>(.*?)</signedData>\s*<publicKey[^>]*>\s*(\w+)", re.DOTALL)


def published(name: str) -> list[tuple[bytes, str]]:
    found = _VALUE.findall((VECTORS / name).read_text())
    return [(record.encode(), key) for record, key in found]


def with_payload(**changes: object) -> bytes:
    payload = {**json.loads(PAYLOAD), **changes}
    payload = {name: value for name, value in payload.items() if value is not None}
    return ocmf.sign(json.dumps(payload).encode(), KEY)


def refusal(record: bytes) -> Reason:
    with pytest.raises(OcmfError) as caught:
        ocmf.verify(ocmf.parse(record), KEY.public_key())
    return caught.value.reason


def test_what_an_agent_signs_reads_back() -> None:
    record = ocmf.parse(RECORD)
    ocmf.verify(record, KEY.public_key())
    assert (record.context, record.counter, record.device) == ("F", 3, "m1")
    assert record.domain == ("n1", "ped")
    assert record.payload == PAYLOAD
    shown = [(r.instant, r.obis, r.register, r.unit, r.status) for r in record.readings]
    assert shown == [
        (1_767_225_600, "1-0:1.8.0*255", "1.250", "kWh", "G"),
        (1_767_225_600, "1-0:2.8.0*255", "7", "Wh", "G"),
        (1_767_226_500, "1-0:1.8.0*255", "1.300", "kWh", "G"),
    ]


def test_keba_records_are_authentic() -> None:
    vectors = published("keba_test.xml") + published("test_ocmf_keba_kcp30.xml")
    assert len(vectors) == 101
    high = 0
    for data, key in vectors:
        record = ocmf.parse(data)
        ocmf.verify(record, ocmf.load_key(key))
        assert record.meter == ""
        assert record.device == record.gateway
        assert record.context == "T"
        high += der.signature_values(record.signature)[1] > der.ORDER // 2
    assert high > 40


def test_a_published_forgery_fails() -> None:
    ((data, key),) = published("test_ocmf_keba_kcp30_fail.xml")
    record = ocmf.parse(data)
    with pytest.raises(OcmfError) as caught:
        ocmf.verify(record, ocmf.load_key(key))
    assert caught.value.reason == Reason.BAD_SIGNATURE


def test_a_published_record_on_secp256k1_is_authentic() -> None:
    ((data, key),) = published("Ocmf_Example_OBIS_98.8.0_2.8.0.xml")
    record = ocmf.parse(data)
    ocmf.verify(record, ocmf.load_key(key.lower()))
    assert (record.context, record.device) == ("T", "1XXX0128200099")
    forged = data.replace(b'"RV" : "2.0"', b'"RV" : "3.0"')
    with pytest.raises(OcmfError) as caught:
        ocmf.verify(ocmf.parse(forged), ocmf.load_key(key.lower()))
    assert caught.value.reason == Reason.BAD_SIGNATURE


def test_a_record_of_another_curve_is_a_mismatch_with_the_registered_key() -> None:
    """The curve is the registered key's, never the message's."""
    ((data, key),) = published("Ocmf_Example_OBIS_98.8.0_2.8.0.xml")
    assert refusal(data) == Reason.ALGORITHM_MISMATCH
    with pytest.raises(OcmfError) as caught:
        ocmf.verify(ocmf.parse(RECORD), ocmf.load_key(key.lower()))
    assert caught.value.reason == Reason.ALGORITHM_MISMATCH
    with pytest.raises(DomainError) as refused:
        der.public_key(key.lower())
    assert refused.value.reason == Reason.MALFORMED_KEY


def test_numbers_keep_their_text() -> None:
    rd = '[{"TM":"2026-01-01T00:00:00,000+0000 S","RV":1234.500,"RI":"a","RU":"kWh"}]'
    payload = b'{"PG":"F1","MS":"m1","RD":%s}' % rd.encode()
    (reading,) = ocmf.parse(ocmf.sign(payload, KEY)).readings
    assert reading.register == "1234.500"


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"OCMF",
        b"OCMF|{}",
        b"ocmf" + RECORD[4:],
        b" " + RECORD,
        RECORD + b"|",
        b"OCMF|[]|{}",
        b'OCMF|{"PG":"F1","PG":"F1"}|{}',
        RECORD.replace(b"|{", b"|\xff{", 1),
        with_payload(PG=None),
        with_payload(PG="F01"),
        with_payload(PG="F-1"),
        with_payload(PG="X1"),
        with_payload(PG="F"),
        with_payload(PG="F9999999999999999"),
        with_payload(MS=7),
        with_payload(RD=None),
        with_payload(RD=[]),
        with_payload(RD=[1]),
        with_payload(RD=[{"RV": "1", "RI": "a", "RU": "kWh"}]),
        with_payload(RD=[{"TM": "2026-01-01", "RV": "1", "RI": "a", "RU": "kWh"}]),
        with_payload(RD=[{"TM": "2026-01-01T00:00:00,000+0000 S", "RI": "a", "RU": "kWh"}]),
        with_payload(RD=[{"TM": "2026-01-01T00:00:00,000+0000 S", "RV": True}]),
        with_payload(RD=[{"TM": "2026-01-01T00:00:00,000+0000 S", "RV": "1" * 41}]),
    ],
)
def test_what_is_no_record(record: bytes) -> None:
    assert refusal(record) == Reason.MALFORMED_RECORD


def test_a_record_too_long_is_not_even_parsed() -> None:
    assert refusal(b"OCMF|" + b" " * limits.RECORD_BYTES) == Reason.RECORD_TOO_LARGE


def test_the_signature_is_strict_der_in_hex_or_base64() -> None:
    head, payload, section = RECORD.split(b"|")
    signature = bytes.fromhex(json.loads(section)["SD"])
    r, s = der.signature_values(signature)

    def record(**fields: str) -> bytes:
        return b"|".join([head, payload, json.dumps(fields).encode()])

    encoded = __import__("base64").b64encode(signature).decode()
    ocmf.verify(ocmf.parse(record(SE="base64", SD=encoded)), KEY.public_key())
    ocmf.verify(ocmf.parse(record(SD=signature.hex().upper())), KEY.public_key())
    ocmf.verify(ocmf.parse(record(SD=_der(r, der.ORDER - s).hex())), KEY.public_key())
    for wrong in (
        record(SE="hex", SD=encoded),
        record(SE="base58", SD=signature.hex()),
        record(SD=""),
        record(SD=signature.hex() + " "),
        record(SD=(signature + b"\x00").hex()),
        record(SD=_der(r, s + der.ORDER).hex()),
        record(SD=_der(0, s).hex()),
        record(SD=(r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex()),
    ):
        assert refusal(wrong) == Reason.MALFORMED_SIGNATURE


def test_the_algorithm_is_the_registered_keys_not_the_messages() -> None:
    assert refusal(RECORD.replace(b"secp256r1", b"secp256k1")) == Reason.ALGORITHM_MISMATCH


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_payload_fails_verification(at: int, change: int) -> None:
    mutant = bytearray(RECORD)
    mutant[5 + at] ^= change
    assert refusal(bytes(mutant)) in (Reason.BAD_SIGNATURE, Reason.MALFORMED_RECORD)


@given(st.data())
def test_any_changed_digit_of_a_signature_fails_verification(data: st.DataObject) -> None:
    start = RECORD.rindex(b'"SD":"') + 6
    at = data.draw(st.integers(start, len(RECORD) - 3))
    digit = data.draw(st.sampled_from(b"0123456789abcdef"))
    mutant = bytearray(RECORD)
    if mutant[at] != digit:
        mutant[at] = digit
        assert refusal(bytes(mutant)) in (Reason.BAD_SIGNATURE, Reason.MALFORMED_SIGNATURE)


def test_an_error_of_the_library_is_no_verdict() -> None:
    class Broken:
        curve = ec.SECP256R1()

        def verify(self, *_: object) -> None:
            raise RuntimeError("the library failed")

    with pytest.raises(RuntimeError):
        ocmf.verify(ocmf.parse(RECORD), Broken())  # type: ignore[arg-type]  # a broken library


@pytest.mark.parametrize(
    "spki",
    [
        "",
        "zz",
        "00",
        der.spki_hex(KEY.public_key())[:-2],
        der.spki_hex(KEY.public_key())[:-2] + "00",
    ],
)
def test_what_is_no_key(spki: str) -> None:
    with pytest.raises(DomainError) as caught:
        ocmf.load_key(spki)
    assert caught.value.reason == Reason.MALFORMED_KEY


def test_a_key_reads_back() -> None:
    spki = der.spki_hex(KEY.public_key())
    assert der.spki_hex(ocmf.load_key(spki)) == spki


def _der(r: int, s: int) -> bytes:
    def integer(value: int) -> bytes:
        body = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return bytes([2, len(body)]) + body

    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


WORDS = st.text(st.characters(max_codepoint=0x7FF), max_size=6)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), WORDS, WORDS, WORDS), min_size=1, max_size=4),
    WORDS,
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_records_of_ours_are_read_without_json_to_the_same(
    readings: list[tuple[int, str, str, str]], device: str, at: int, changed: bytes
) -> None:
    """And what is spelt otherwise, by any change of bytes, is left to the JSON reader."""
    payload = ocmf.build(device=device, counter=1, readings=readings, network="n1", channel="ped")
    built = ocmf.seal(payload, _der(7, 9))
    for record in (built, built[:at] + changed + built[at + len(changed) :]):
        quick = ocmf._ours(record)
        if quick is not None:
            assert quick == ocmf._any(record)


def test_records_of_our_agents_take_the_quick_way() -> None:
    assert ocmf._ours(RECORD) == ocmf._any(RECORD)
    assert ocmf._ours(RECORD.replace(b"m1", b"m\\u0031")) is None
    assert ocmf._ours(RECORD.replace(b'"U":', b'"V":[],"U":')) is None
