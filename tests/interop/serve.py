# SPDX-License-Identifier: Apache-2.0
"""Serves the contracts under test, each in its own runtime: `serve.py --package name=address=ccid`.

What is not ours runs in a process of its own, which ends when we do: its standard input closes.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from pedchain_fabric.shim import Package, Tls, run
from tests.interop import contract, environments

FOREIGN: Final = ("node", "fcp")


def _ours(address: str, ccid: str) -> Package:
    contracts = [contract.Script(), contract.Second()]
    return Package(ccid, address, contracts, tls=Tls.from_environment())


def _node(address: str, ccid: str) -> Sequence[str]:
    command = [
        environments.node(),
        str(environments.NODE.program),
        "server",
        f"--chaincode-address={address}",
        f"--chaincode-id={ccid}",
        f"--module-path={environments.FOLDER / 'node'}",
    ]
    for option, variable in (
        ("key-file", "CHAINCODE_TLS_KEY"),
        ("cert-file", "CHAINCODE_TLS_CERT"),
        ("client-cacert-file", "CHAINCODE_CLIENT_CA_CERT"),
    ):
        if variable in os.environ:
            command.append(f"--chaincode-tls-{option}={os.environ[variable]}")
    return command


def _fcp(address: str, ccid: str) -> Sequence[str]:
    program = str(environments.CHAINCODE_PYTHON.program)
    return [program, str(environments.FOLDER / "fcp" / "chaincode.py"), address, ccid]


def _start(name: str, address: str, ccid: str) -> subprocess.Popen[bytes]:
    command = (_node if name == "node" else _fcp)(address, ccid)
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, **_QUIET})


_QUIET: Final[Mapping[str, str]] = {"CORE_CHAINCODE_LOGGING_LEVEL": "error"}


def main() -> None:
    packages = [text.split("=", 2) for text in sys.argv[1:] if text != "--package"]
    ours = [_ours(address, ccid) for name, address, ccid in packages if name not in FOREIGN]
    children = [_start(*each) for each in packages if each[0] in FOREIGN]
    try:
        run(ours)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


if __name__ == "__main__":
    main()
