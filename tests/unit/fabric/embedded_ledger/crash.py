# SPDX-License-Identifier: Apache-2.0
"""Commits one prepared block to a ledger file; a fail-point in the environment may kill it."""

import sys
from pathlib import Path

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.ledger import Ledger


def main(path: Path, folder: Path) -> None:
    """`folder` holds `block`, and `private` with a line `<transaction id> <hex>` each."""
    ledger = Ledger.open(path)
    for line in (folder / "private").read_text().splitlines():
        transaction_id, data = line.split()
        ledger.transient.put(transaction_id, bytes.fromhex(data))
    ledger.commit(Block.FromString((folder / "block").read_bytes()))
    ledger.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
