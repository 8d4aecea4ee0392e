# SPDX-License-Identifier: Apache-2.0
"""A witness: writes down, signed, which heads it was shown, and raises an alarm on split views.

Orderers and a peer in collusion could show one ledger to an auditor and another to somebody else.
Neither would see it alone; two who exchange what they were shown do. Each line of a witness's log
is one JSON object with its signature (ECDSA, SHA-256) over the canonical bytes of the rest.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from pedchain_audit.errors import ArchiveError
from pedchain_audit.heads import Head, View, head
from pedchain_domain import canonical
from pedchain_fabric.errors import SignatureInvalid
from pedchain_fabric.wire.keys import EcdsaSigner, load_signer, private_key_pem, verify

SCHEMA = "head/1"
Line = dict[str, Any]


class SplitViewError(Exception):
    """Two views of one block differ, or one was taken back; the text says whose."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who signs."""

    signer: EcdsaSigner

    @classmethod
    def of(cls, path: Path) -> "Witness":
        """The key in a file, made and kept there first if there is none. `IdentityError` if it is
        no key, `ArchiveError` if it is one of Ed25519."""
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(private_key_pem(ec.generate_private_key(ec.SECP256R1())))
        signer = load_signer(path.read_bytes())
        if not isinstance(signer, EcdsaSigner):
            raise ArchiveError(f"{path}: a witness signs with ECDSA")
        return cls(signer)

    @property
    def key(self) -> str:
        """Its public key, hex."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.signer.public_key.public_bytes(Encoding.DER, form).hex()

    def line(self, channel: str, view: str, seen: Head, at: int) -> Line:
        """What was shown, signed; `at` in UTC epoch seconds."""
        body: Line = {
            "schema": SCHEMA,
            "channel": channel,
            "view": view,
            "number": seen.number,
            "header": seen.header,
            "commit": seen.commit,
            "at": at,
            "witness": self.key,
        }
        return {**body, "signature": self.signer.sign(canonical.encode(body)).hex()}


def check(line: Line) -> Head:
    """The head a line tells of. `ArchiveError` if its signature is not its witness's."""
    try:
        body = {name: value for name, value in line.items() if name != "signature"}
        key = load_der_public_key(bytes.fromhex(line["witness"]))
        verify(key, canonical.encode(body), bytes.fromhex(line["signature"]))
        return Head(line["number"], line["header"], line["commit"])
    except (SignatureInvalid, ValueError, KeyError, TypeError) as error:
        raise ArchiveError("a line is not as its witness signed it") from error


def log(path: Path) -> list[Line]:
    """A witness's log; empty where there is none. `ArchiveError` where a line is forged."""
    try:
        lines = [json.loads(each) for each in path.read_text().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path} is no witness's log") from error
    for line in lines:
        check(line)
    return lines


def agree(lines: Iterable[Line]) -> dict[tuple[str, int], Line]:
    """All that witnesses were shown, by channel and block. `SplitViewError` where two differ."""
    known: dict[tuple[str, int], Line] = {}
    for line in lines:
        place = (line["channel"], line["number"])
        before = known.setdefault(place, line)
        for what in ("header", "commit"):
            if before[what] != line[what]:
                raise SplitViewError(
                    f"block {line['number']} of {line['channel']}: {before['view']} showed "
                    f"{what} {before[what]}, {line['view']} shows {line[what]}"
                )
    return known


async def look(
    witness: Witness, channel: str, views: Sequence[View], lines: list[Line], at: int
) -> list[Line]:
    """One round: every view's head, and what each shows now of heads seen earlier.

    `lines` are those of this witness and of others. Returns the new ones. Raises `SplitViewError`.
    """
    agree(lines)
    heights = {view.name: await view.height() for view in views}
    earlier = [line["number"] for line in lines if line["channel"] == channel]
    common = min(heights.values()) - 1
    made: list[Line] = []
    for view in views:
        own = [line["number"] for line in lines if line["view"] == view.name]
        if own and max(own) >= heights[view.name]:
            raise SplitViewError(
                f"{view.name} showed block {max(own)}, now it has {heights[view.name]} blocks only"
            )
        numbers = {heights[view.name] - 1, common, *(n for n in earlier if n < heights[view.name])}
        newest = sorted(numbers)[-HEADS_ASKED:]
        made += [witness.line(channel, view.name, await head(view, n), at) for n in newest]
    agree([*lines, *made])
    known = {(line["view"], line["number"]) for line in lines}
    return [line for line in made if (line["view"], line["number"]) not in known]


#: Heads that a view is asked for again in one round; the newest bind all earlier ones.
HEADS_ASKED = 8


def keep(path: Path, lines: Iterable[Line]) -> None:
    """Adds lines to a log."""
    with path.open("a") as opened:
        opened.writelines(json.dumps(line, sort_keys=True) + "\n" for line in lines)
