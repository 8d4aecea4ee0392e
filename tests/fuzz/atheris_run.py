# SPDX-License-Identifier: Apache-2.0
"""One target under Atheris (libFuzzer), with the coverage of our own packages.

    python -m tests.fuzz.atheris_run TARGET SEEDS [libFuzzer's options]

Needs `atheris` on its path (tests.fuzz.environment makes a folder with it). Seeds that SEEDS lacks
are written there first. What crashes is written to libFuzzer's -artifact_prefix.
"""

import hashlib
import sys
from pathlib import Path

import atheris

OURS = ["pedchain_fabric", "pedchain_domain", "pedchain_network"]
SEED_BYTES = 1 << 16


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    _, name, folder, *options = sys.argv
    with atheris.instrument_imports(include=OURS):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    for seed in (*target.seeds(), *target.hostile()):
        if len(seed) <= SEED_BYTES:
            (Path(folder) / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup([sys.argv[0], folder, *options], target.try_)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
