# SPDX-License-Identifier: Apache-2.0
"""Serves the measured contract on every shim: `serve.py --package LABEL=ADDRESS=ID ...`.

The label says which shim. What is not ours runs in a process of its own and ends with this one.
"""

import os
import subprocess
import sys
from pathlib import Path

from bench.rivals.chaincode import Store
from pedchain_fabric.shim import Package, Tls, run

HERE = Path(__file__).parent


def start(label: str, address: str, identifier: str) -> subprocess.Popen[bytes]:
    """Another project's shim."""
    command = {
        "node": ["node", str(HERE / "node/chaincode.js")],
        "go": [os.environ["BENCH_GO_CHAINCODE"]] if label == "go" else [],
    }[label]
    told = {
        "CHAINCODE_SERVER_ADDRESS": address,
        "CHAINCODE_ID": identifier,
        "CORE_CHAINCODE_LOGGING_LEVEL": "error",
    }
    return subprocess.Popen(command, env={**os.environ, **told})


def main() -> None:
    packages = [text.split("=", 2) for text in sys.argv[1:] if text != "--package"]
    children = [start(*each) for each in packages if each[0] != "ours"]
    tls = Tls.from_environment()
    ours = [
        Package(identifier, address, [Store()], tls=tls)
        for label, address, identifier in packages
        if label == "ours"
    ]
    try:
        run(ours)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


if __name__ == "__main__":
    main()
