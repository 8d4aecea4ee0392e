# SPDX-License-Identifier: Apache-2.0
"""Keys on P-256 (and of meters on secp256k1) and ECDSA signatures in strict DER.

Only the one DER spelling of a value is read: minimal lengths, minimal integers, nothing after the
end, r and s in [1, n-1]. High s is left to the caller (rules R1 accept it in records: half of all
meters' signatures have it), so two byte strings may sign one payload; sameness is judged on
payloads only.
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec

from pedchain_domain import text
from pedchain_domain.reasons import DomainError, Reason

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_K1 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# SubjectPublicKeyInfo of an uncompressed point (RFC 5480), up to the point itself.
_SPKI_PREFIX = text.hex_bytes("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_SPKI_PREFIX_K1 = text.hex_bytes("3056301006072a8648ce3d020106052b8104000a034200")
_POINT_LENGTH = 65
_INTEGER, _SEQUENCE = 0x02, 0x30


@lru_cache(maxsize=4_096)
def public_key(spki_hex: str) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a hex SubjectPublicKeyInfo; DomainError `malformed-key`.

    Kept, since a device's key is asked for with each of its records and checking that the point
    lies on the curve costs a quarter of a verification.
    """
    return _key(spki_hex, _SPKI_PREFIX, ec.SECP256R1())


@lru_cache(maxsize=4_096)
def meter_key(spki_hex: str) -> ec.EllipticCurvePublicKey:
    """The key of a meter: on P-256, or on secp256k1 as OCMF's older chargers have it."""
    if spki_hex.startswith(_SPKI_PREFIX_K1.hex()):
        return _key(spki_hex, _SPKI_PREFIX_K1, ec.SECP256K1())
    return public_key(spki_hex)


def _key(spki_hex: str, prefix: bytes, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    data = text.from_hex(spki_hex)
    if data is None or not data.startswith(prefix):
        raise DomainError(Reason.MALFORMED_KEY)
    point = data[len(prefix) :]
    if len(point) != _POINT_LENGTH or point[0] != 4:
        raise DomainError(Reason.MALFORMED_KEY)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError as err:
        raise DomainError(Reason.MALFORMED_KEY, "not on the curve") from err


def spki_hex(key: ec.EllipticCurvePublicKey) -> str:
    """The hex SubjectPublicKeyInfo of a P-256 key, as a device is registered with."""
    numbers = key.public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return (_SPKI_PREFIX + point).hex()


def is_signature(signature: bytes, order: int = ORDER) -> bool:
    """Whether bytes are a signature in strict DER with values below the curve's order."""
    try:
        signature_values(signature, order)
    except DomainError:
        return False
    return True


def signature_values(signature: bytes, order: int = ORDER) -> tuple[int, int]:
    """(r, s) of a strict DER signature, below the curve's order; DomainError
    `malformed-signature`."""
    if len(signature) < 2 or signature[0] != _SEQUENCE or signature[1] != len(signature) - 2:
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    r, after = _integer(signature, 2)
    s, end = _integer(signature, after)
    if end != len(signature) or not (0 < r < order and 0 < s < order):
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    return r, s


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """A positive DER integer of at most 33 bytes, and where the next element begins."""
    if at + 2 >= len(data) or data[at] != _INTEGER:
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    body, length = at + 2, data[at + 1]
    end, first = body + length, data[body]
    padded = first == 0 and length > 1 and end <= len(data) and data[body + 1] < 0x80
    if not 0 < length <= 33 or end > len(data) or first >= 0x80 or padded:
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    return int.from_bytes(data[body:end], "big"), end
