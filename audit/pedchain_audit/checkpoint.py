# SPDX-License-Identifier: Apache-2.0
"""How far an auditor has verified a ledger: what the next run need not compute again.

The file is the auditor's own and is to be kept where the ledger's copy is not: who can write it
decides what is believed. It holds hashes alone; what it stands for is replayed from the blocks
again, and a ledger that was rewritten since does not lead to the same hashes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pedchain_audit.errors import ArchiveError, VerificationError

SCHEMA = "checkpoint/1"
BYTES_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Verified: all blocks below `height`. Hashes, hex, of the last one's header, of all that they
    changed (the commit hash), and of the private data read with them."""

    height: int
    header: str
    commit: str
    private: str

    def check(self, reached: "Checkpoint") -> None:
        """Raises `VerificationError` unless replaying led to the same hashes."""
        for name in ("header", "commit", "private"):
            if getattr(self, name) != getattr(reached, name):
                raise VerificationError(
                    "checkpoint",
                    f"the {name} hash is another than when this was verified: the past changed",
                    block=self.height - 1,
                )


def read(path: Path) -> Checkpoint | None:
    """The checkpoint in a file; None where there is no file. ArchiveError if it is no such file."""
    try:
        found = json.loads(path.read_bytes()[:BYTES_MAX])
        if found.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        return Checkpoint(**found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(f"{path} is no checkpoint of ours") from error


def write(path: Path, found: Checkpoint) -> None:
    """Keeps a checkpoint, the former one until the new one is whole."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps({"schema": SCHEMA, **asdict(found)}, sort_keys=True) + "\n")
    beside.replace(path)
