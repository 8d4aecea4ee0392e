# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms, signed documents, claim codes, identities: what the public can make nothing of."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import der, documents, members, onboarding, pseudonyms, signed
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes

KEY = ec.derive_private_key(7, ec.SECP256R1())
OTHER = ec.derive_private_key(8, ec.SECP256R1())
LEDGER = {"network": "n1", "channel": "ped"}
CLAIM_ID = "0123456789abcdef" * 2
CODE = "WQ7T2K4M9X3B5C8D6F1GHJNPRS"
Document = dict[str, Any]


def key_document(key: ec.EllipticCurvePrivateKey) -> Document:
    return {"alg": "ES256", "spki": der.spki_hex(key.public_key())}


def possession(key: ec.EllipticCurvePrivateKey = KEY, claim: str = CLAIM_ID) -> Document:
    body = {"schema": "possession/1", "claim": claim, "key": key_document(key)}
    message = onboarding.possession_bytes(body, "n1", "ped")
    return {**body, "signature": key.sign(message, ec.ECDSA(SHA256())).hex()}


def claim(**more: Any) -> Document:
    device = homes.device("d", "p", ("I", "E"))
    del device["key"]
    return {
        "schema": "claim/1",
        "id": CLAIM_ID,
        "device": device,
        "code": onboarding.code_digest(CLAIM_ID, CODE),
        "through": 3,
        **more,
    }


@given(st.binary(min_size=16, max_size=32), st.binary(min_size=16, max_size=32), st.text("abc0.-"))
def test_a_name_has_one_pseudonym_in_a_district_and_another_elsewhere(
    one: bytes, other: bytes, name: str
) -> None:
    here, there = pseudonyms.naming_key(one), pseudonyms.naming_key(other)
    made = pseudonyms.pseudonym(here, name)
    assert pseudonyms.is_pseudonym(made)
    assert pseudonyms.pseudonym(here, made) == made
    assert (pseudonyms.pseudonym(there, name) == made) == (one == other)


def test_every_name_in_a_document_is_replaced_and_nothing_else() -> None:
    key = pseudonyms.naming_key(b"secret")
    for document in (
        homes.site("s"),
        homes.point("p", "s", "EVSE", parent="q"),
        homes.device("d", "p", ("I",)),
    ):
        made = pseudonyms.translated(key, document)
        assert documents.check(made)
        changed = {name for name in document if document[name] != made[name]}
        assert changed == set(pseudonyms.NAMES[document["schema"]])
        assert pseudonyms.translated(key, made) == made
    top = homes.point("p", "s", "GCP")
    assert pseudonyms.translated(key, top)["parent"] is None


@pytest.mark.fault(14)
def test_a_claim_takes_the_right_code_from_the_device_it_was_given_to() -> None:
    digest = onboarding.code_digest(CLAIM_ID, CODE)
    made = onboarding.accepts(claim(), digest, possession(), "n1", "ped")
    assert made is not None
    assert made["key"] == key_document(KEY)
    assert documents.check(made)["id"] == "d"
    expected = hashlib.sha256(bytes.fromhex(key_document(KEY)["spki"])).hexdigest()
    known = claim(fingerprint=expected)
    assert onboarding.accepts(known, digest, possession(), "n1", "ped")
    assert onboarding.accepts(known, digest, possession(OTHER), "n1", "ped") is None


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("code", "answer", "channel"),
    [
        (CODE[:-1] + "X", possession(), "ped"),
        ("", possession(), "ped"),
        (CODE, possession(claim="f" * 32), "ped"),
        (CODE, {**possession(), "key": key_document(OTHER)}, "ped"),
        (CODE, {**possession(), "signature": possession(OTHER)["signature"]}, "ped"),
        (CODE, {**possession(), "signature": "00"}, "ped"),
        (CODE, possession(), "other"),
    ],
)
def test_a_claim_takes_nothing_else(code: str, answer: Document, channel: str) -> None:
    digest = onboarding.code_digest(CLAIM_ID, code)
    assert onboarding.accepts(claim(), digest, answer, "n1", channel) is None


def test_a_codes_digest_is_of_its_claim_alone() -> None:
    assert onboarding.code_digest(CLAIM_ID, CODE) != onboarding.code_digest("f" * 32, CODE)


@pytest.mark.fault(6)
def test_a_signature_is_for_one_ledger_and_contract() -> None:
    body = {"schema": "x/1", "n": 1}
    message = signed.message(body, contract="membership", **LEDGER)
    signature = KEY.sign(message, ec.ECDSA(SHA256())).hex()
    spki = key_document(KEY)["spki"]
    signed.verify(spki, message, signature)
    for other in (
        signed.message(body, contract="metering", **LEDGER),
        signed.message(body, contract="membership", network="n2", channel="ped"),
        signed.message({**body, "n": 2}, contract="membership", **LEDGER),
    ):
        with pytest.raises(DomainError) as caught:
            signed.verify(spki, other, signature)
        assert caught.value.reason == Reason.BAD_SIGNATURE
    for malformed in (None, 7, "", "0x", signature + "00"):
        with pytest.raises(DomainError) as caught:
            signed.verify(spki, message, malformed)
        assert caught.value.reason == Reason.MALFORMED_SIGNATURE


@pytest.mark.fault(22)
@pytest.mark.parametrize("salt", [None, "", "00", "zz" * 16, "AB" * 16, 7])
def test_an_identity_without_a_salt_of_128_bits_is_refused(salt: object) -> None:
    good = {"schema": "identity/1", "salt": "ab" * 16, "name": "Ann"}
    assert documents.check(good)
    with pytest.raises(DomainError):
        documents.check({**good, "salt": salt})
    with pytest.raises(DomainError):
        documents.check({"schema": "identity/1", "name": "Ann"})


@pytest.mark.fault(22)
def test_who_knows_every_name_in_town_cannot_tell_whose_digest_it_is() -> None:
    town = ["Ann", "Bob", "Cem", "Dora"]
    digest = members.identity_digest({"schema": "identity/1", "salt": "5c" * 16, "name": "Bob"})
    guesses = [
        members.identity_digest({"schema": "identity/1", "salt": "00" * 16, "name": name})
        for name in town
    ]
    guesses += [hashlib.sha256(name.encode()).hexdigest() for name in town]
    assert digest not in guesses


def test_a_template_is_a_device_without_its_key() -> None:
    assert documents.check_template(claim()["device"])
    for wrong in (None, {}, homes.device("d", "p", ("I",)), {**claim()["device"], "from": "x"}):
        with pytest.raises(DomainError):
            documents.check_template(wrong)
