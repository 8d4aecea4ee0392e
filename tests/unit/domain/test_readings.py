# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import der, ocmf, readings, registers
from pedchain_domain.reasons import Reason, reason_of, status_of
from tests.unit.domain.test_ocmf import published

KEY = ec.derive_private_key(11, ec.SECP256R1())
NEXT_KEY = ec.derive_private_key(12, ec.SECP256R1())
T0 = 1_767_225_600


def public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    return {"alg": "ES256", "spki": der.spki_hex(key.public_key())}


def device(**fields: Any) -> dict[str, Any]:
    return {
        "schema": "device/1",
        "id": "m1",
        "point": "p1",
        "key": public(KEY),
        "registers": {
            "1-0:1.8.0*255": {"role": "I"},
            "1-0:2.8.0*255": {"role": "E", "num": 50, "den": 1},
            "7-0:3.0.0": {"role": "V"},
        },
        "from": T0 - 100,
        "to": None,
        "first_counter": 5,
        **fields,
    }


def build(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "device": "m1",
        "counter": 7,
        "readings": [(T0, "1-0:1.8.0*255", "1.5", "kWh"), (T0, "1-0:2.8.0*255", "2", "Wh")],
        "network": "n1",
        "channel": "ped",
    }
    return ocmf.build(**{**arguments, **changes})


def judge(
    payload: bytes, about: dict[str, Any] | None, key: ec.EllipticCurvePrivateKey = KEY, **kw: Any
) -> readings.Judgement:
    received = ocmf.sign(payload, key)
    return readings.judge(received, ocmf.parse(received), about, "n1", "ped", **kw)


def test_a_certifiable_record_gives_its_row() -> None:
    status, row, doubts = judge(build(), device())
    assert status == Reason.RECORDED
    assert doubts == ()
    assert row is not None
    assert row[0:2] == ["m1", 7]
    assert len(row[2]) == 64
    assert len(row[3]) == 32
    assert row[4:] == [0, {"t": [T0], "I": [1500], "E": [100]}]


def test_the_mark_depends_on_the_signature_and_the_digest_does_not() -> None:
    first, second = judge(build(), device()).row, judge(build(), device()).row
    assert first is not None
    assert second is not None
    assert first[2] == second[2]
    assert first[3] != second[3]


REFUSALS = [
    (Reason.UNKNOWN_DEVICE, build(), None),
    (Reason.KEY_METER_MISMATCH, build(device="m2"), device()),
    (Reason.WRONG_DOMAIN, build(network="n2"), device()),
    (Reason.WRONG_DOMAIN, build(channel="other"), device()),
    (Reason.REVOKED_KEY, build(), device(revoked=7)),
    (Reason.COUNTER_BEFORE_FIRST, build(counter=4), device()),
    (Reason.BAD_SIGNATURE, build(), device(key=public(NEXT_KEY))),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "payload", "about"), REFUSALS)
def test_a_record_is_refused(reason: Reason, payload: bytes, about: dict[str, Any] | None) -> None:
    status, row, _ = judge(payload, about)
    assert (status, row) == (reason, None)


def test_a_record_from_the_future_is_refused() -> None:
    assert judge(build(), device(), latest=T0 - 1).status == Reason.IN_THE_FUTURE
    assert judge(build(), device(), latest=T0).status == Reason.RECORDED


def test_before_its_revocation_a_key_still_holds() -> None:
    assert judge(build(), device(revoked=8)).status == Reason.RECORDED


def test_the_key_is_the_one_registered_at_the_counter() -> None:
    rotated = device(
        key=public(NEXT_KEY),
        first_counter=8,
        former=[{"key": public(KEY), "first_counter": 5}],
    )
    assert judge(build(counter=7), rotated).status == Reason.RECORDED
    assert judge(build(counter=8), rotated).status == Reason.BAD_SIGNATURE
    assert judge(build(counter=8), rotated, NEXT_KEY).status == Reason.RECORDED
    assert judge(build(counter=7), rotated, NEXT_KEY).status == Reason.BAD_SIGNATURE


def test_only_a_calibrated_meter_may_lack_our_tag() -> None:
    payload = json.loads(build())
    del payload["U"]
    untagged = json.dumps(payload).encode()
    assert judge(untagged, device()).status == Reason.WRONG_DOMAIN
    assert judge(untagged, device(authority="meter")).status == Reason.RECORDED
    assert judge(build(network="n2"), device(authority="meter")).status == Reason.WRONG_DOMAIN


def changed(**fields: str) -> bytes:
    payload = json.loads(build(readings=[(T0, "1-0:1.8.0*255", "1.5", "kWh")]))
    payload["PG"] = fields.pop("PG", payload["PG"])
    payload["RD"][0].update(fields)
    return json.dumps(payload).encode()


@pytest.mark.parametrize(
    ("doubt", "payload"),
    [
        (Reason.TRANSACTION_CONTEXT, changed(PG="T7")),
        (Reason.CLOCK_NOT_SYNCHRONISED, changed(TM="2026-01-01T00:00:00,000+0000 I")),
        (Reason.METER_STATUS, changed(ST="E")),
        (Reason.METER_STATUS, changed(ST="")),
        (Reason.SUBSTITUTE_WITHOUT_AUTHORITY, changed(ST="S")),
        (Reason.ERROR_FLAG, changed(EF="E")),
        (Reason.UNMAPPED_REGISTER, changed(RI="1-0:9.8.0*255")),
        (Reason.UNKNOWN_UNIT, changed(RU="MWh")),
        (Reason.NOT_INSTALLED, changed(TM="2025-12-31T23:00:00,000+0000 S")),
        (Reason.MALFORMED_REGISTER, changed(RV="-1")),
    ],
)
def test_an_authentic_reading_is_not_certifiable(doubt: Reason, payload: bytes) -> None:
    status, row, doubts = judge(payload, device())
    assert (status, doubts) == (Reason.NOT_CERTIFIABLE, (doubt,))
    assert row is not None
    assert row[4:] == [1, {"t": []}]


def test_the_dso_may_substitute() -> None:
    _, row, _ = judge(changed(ST="S"), device(authority="dso"))
    assert row is not None
    assert row[5] == {"t": [T0], "I": [1500], "s": [T0]}


def test_other_carriers_travel_in_the_vendor_field() -> None:
    _, row, doubts = judge(build(extensions=[(T0, "7-0:3.0.0", "12.3456", "m3")]), device())
    assert row is not None
    assert row[5]["V"] == [12_345]
    assert doubts == ()
    gas_as_energy = build(readings=[(T0, "7-0:3.0.0", "1", "m3")])
    assert judge(gas_as_energy, device()).doubts == (Reason.UNKNOWN_UNIT,)


def test_keba_records_are_authentic_and_not_certifiable() -> None:
    for data, key in published("keba_test.xml"):
        record = ocmf.parse(data)
        about = device(
            id=record.gateway,
            key={"alg": "ES256", "spki": key},
            authority="meter",
            first_counter=0,
            registers={"1-b:1.8.0": {"role": "I"}},
        )
        status, row, doubts = readings.judge(data, record, about, "n1", "ped")
        assert status == Reason.NOT_CERTIFIABLE
        assert row is not None
        assert row[5] == {"t": []}
        assert doubts == (Reason.TRANSACTION_CONTEXT, Reason.CLOCK_NOT_SYNCHRONISED)
        for reading in record.readings:
            assert reading.state in "UR"
            assert "." in reading.register
            assert reading.instant < 200_000
            assert registers.to_whole(reading.register, registers.OCMF_UNITS[reading.unit]) >= 0


@pytest.mark.parametrize(
    ("name", "alg", "doubts"),
    [
        (
            "test_ocmf_keba_kcp30.xml",
            "ES256",
            (Reason.TRANSACTION_CONTEXT, Reason.CLOCK_NOT_SYNCHRONISED),
        ),
        (
            "Ocmf_Example_OBIS_98.8.0_2.8.0.xml",
            "ES256K",
            (Reason.TRANSACTION_CONTEXT, Reason.CLOCK_NOT_SYNCHRONISED),
        ),
    ],
)
def test_every_other_published_record_is_authentic_and_why_it_is_not_certifiable(
    name: str, alg: str, doubts: tuple[Reason, ...]
) -> None:
    for data, key in published(name):
        record = ocmf.parse(data)
        roles = dict.fromkeys(reading.obis for reading in record.readings)
        about = device(
            id=record.device,
            key={"alg": alg, "spki": key.lower()},
            authority="meter",
            first_counter=0,
            registers={obis: {"role": role} for obis, role in zip(roles, "IE", strict=False)},
        )
        status, row, found = readings.judge(data, record, about, "n1", "ped")
        assert (status, found) == (Reason.NOT_CERTIFIABLE, doubts)
        assert row is not None


def test_every_reason_has_its_own_byte_that_never_moves() -> None:
    assert [reason_of(status_of(reason)) for reason in Reason] == list(Reason)
    assert (status_of(Reason.RECORDED), status_of(Reason.NOT_CERTIFIABLE)) == (0, 1)
    # Bytes stand in old blocks: the first ones are pinned, new ones are appended.
    assert status_of(Reason.BAD_SIGNATURE) == 4
    assert status_of(Reason.WRONG_DOMAIN) == 9
    assert status_of(Reason.DUPLICATE) == 14
    assert len(Reason) < 256
    with pytest.raises(IndexError):
        reason_of(len(Reason))
