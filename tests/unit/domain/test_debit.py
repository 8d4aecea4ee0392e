# SPDX-License-Identifier: Apache-2.0
"""Signed debits: one ledger, one contract, one account, one counter, one body."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import canonical, debit, der
from pedchain_domain.debit import Debit, Domain
from pedchain_domain.reasons import DomainError

HERE = Domain("pedchain", "ped", "metering-DistrictA:origin")
KEY = ec.generate_private_key(ec.SECP256R1())
SPKI = der.spki_hex(KEY.public_key())
BODY = {"certificate": "ab", "to": "acc-b"}


def signed(**changes: Any) -> debit.Signed:
    fields = {"domain": HERE, "account": "acc-a", "counter": 7, "action": "transfer", "body": BODY}
    return debit.sign(Debit(**{**fields, **changes}), KEY)


def test_a_debit_is_read_back_as_it_was_signed() -> None:
    made = signed()
    assert debit.decode(made.encode()) == made
    assert debit.check(made, HERE, SPKI, 6) == made.debit


@pytest.mark.parametrize(
    ("changes", "counter", "reason"),
    [
        ({"domain": Domain("other", "ped", HERE.contract)}, 6, "wrong-domain"),
        ({"domain": Domain("pedchain", "other", HERE.contract)}, 6, "wrong-domain"),
        ({"domain": Domain("pedchain", "ped", "other")}, 6, "wrong-domain"),
        ({}, 7, "wrong-counter"),
        ({}, 5, "wrong-counter"),
    ],
)
def test_a_debit_holds_here_and_next(changes: dict[str, Any], counter: int, reason: str) -> None:
    with pytest.raises(DomainError, match=reason):
        debit.check(signed(**changes), HERE, SPKI, counter)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_a_debit_can_be_changed(at: int, bit: int) -> None:
    data = bytearray(signed().encode())
    data[at % len(data)] ^= 1 << bit
    with pytest.raises(DomainError):
        debit.check(debit.decode(bytes(data)), HERE, SPKI, 6)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {**d, "debit": {**d["debit"], "more": 1}},
        lambda d: {**d, "debit": {**d["debit"], "schema": "debit/2"}},
        lambda d: {**d, "debit": {**d["debit"], "counter": 0}},
        lambda d: {**d, "debit": {**d["debit"], "counter": True}},
        lambda d: {**d, "debit": {**d["debit"], "body": []}},
        lambda d: {**d, "debit": {**d["debit"], "account": "a b"}},
        lambda d: {**d, "debit": 1},
        lambda d: {**d, "signature": "zz"},
        lambda d: {**d, "signature": 1},
        lambda d: {"debit": d["debit"]},
    ],
)
def test_what_is_no_signed_debit_is_refused(change: Any) -> None:
    document = canonical.decode(signed().encode())
    with pytest.raises(DomainError):
        debit.decode(canonical.encode(change(document)))
    with pytest.raises(DomainError, match="not-canonical"):
        debit.decode(signed().encode() + b" ")
