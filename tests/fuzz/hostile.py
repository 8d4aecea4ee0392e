# SPDX-License-Identifier: Apache-2.0
"""Inputs built to cost memory, time or depth: small to send, large to take."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope

DEPTH = 20_000
BOMB_BYTES = 288 << 20


def nested_json() -> Sequence[bytes]:
    """Arrays and objects in each other, numbers of a great many digits."""
    return (b"[" * DEPTH, b"[" * DEPTH + b"]" * DEPTH, b'{"a":' * DEPTH, b"1" * DEPTH)


def nested_policies() -> Sequence[bytes]:
    """A policy's text, deep and wide."""
    return (b"AND(" * DEPTH, b"AND(" * 5_000 + b"'A.peer'" + b")" * 5_000, b"OR('A.peer'," * 9_000)


def nested_policy_bytes() -> Sequence[bytes]:
    """A policy's protobuf, as deep as its parser takes and deeper."""
    found = []
    for depth in (40, 2_000):
        rule = SignaturePolicy(signed_by=0).SerializeToString()
        for _ in range(depth):
            inner = b"\x12" + _varint(len(rule)) + rule
            rule = b"\x12" + _varint(len(inner) + 2) + b"\x08\x01" + inner
        found.append(b"\x12" + _varint(len(rule)) + rule)
    wide = SignaturePolicyEnvelope()
    wide.rule.n_out_of.n = 1
    wide.rule.n_out_of.rules.extend([SignaturePolicy(signed_by=0)] * 50_000)
    return (*found, wide.SerializeToString())


def nested_yaml() -> Sequence[bytes]:
    """Lists in each other, and names for names of names (a billion laughs)."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    names = [", ".join([f"*a{each}"] * 9) for each in range(30)]
    lines += [f"a{each + 1}: &a{each + 1} [{name}]" for each, name in enumerate(names)]
    return (b"[" * DEPTH, b"- " * DEPTH, "\n".join(lines).encode())


def packed_zeros() -> Sequence[bytes]:
    """A batch that says it is small and is not."""
    return tuple(
        (1).to_bytes(4, "big") + size.to_bytes(4, "big") + _zeros(wbits=15)
        for size in (1_000, 2**32 - 1)
    )


def package_zeros() -> Sequence[bytes]:
    """Packages that unpack to more than there is memory for: zeros, and a file full of holes."""
    return (_zeros(wbits=31), _sparse(1 << 40))


def _zeros(wbits: int) -> bytes:
    packer = zlib.compressobj(9, wbits=wbits)
    part = bytes(1 << 20)
    parts = [packer.compress(part) for _ in range(BOMB_BYTES >> 20)]
    return b"".join([*parts, packer.flush()])


def _sparse(size: int) -> bytes:
    """An archive of one file in GNU's old sparse form: no data, `size` bytes of holes."""
    header = tarfile.TarInfo("metadata.json")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:482] = bytes(96)
    block[386:410] = b"%011o\x00%011o\x00" % (0, 0)
    block[483:495] = b"\x80" + bytes(3) + size.to_bytes(8, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    archive = io.BytesIO(bytes(block) + bytes(1024))
    return gzip.compress(archive.getvalue())


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
