# SPDX-License-Identifier: Apache-2.0
"""What `org.hyperledger.fabric:GetMetadata` answers, and with what code it runs."""

import hashlib
import importlib
import json
import platform
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.backends.openssl import backend

from pedchain_fabric.shim.contract import Contract, Transaction
from pedchain_fabric.shim.reply import Reply

SYSTEM_CONTRACT: Final = "org.hyperledger.fabric"
GET_METADATA: Final = "GetMetadata"
SHIM_CODE: Final = ("pedchain_fabric.shim", "pedchain_fabric.wire")

_SCHEMAS: Final = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "format": "binary"},
    Reply: {"type": "string", "format": "binary"},
}


def document(contracts: Sequence[Contract], code: Sequence[str] = ()) -> bytes:
    """The metadata as JSON: Fabric's contract schema, and how this process is built.

    `environment` is our addition, for comparing organisations: a digest of the source files of
    the contracts, of `code` and of the shim, the versions that signature checks depend on, and
    each contract's self-test digest.
    """
    packages = {*SHIM_CODE, *code, *(_root(contract) for contract in contracts)}
    content = {
        "info": {"title": contracts[0].name, "version": _version(contracts[0])},
        "contracts": {contract.name: _contract(contract) for contract in contracts},
        "components": {"schemas": {}},
        "environment": {
            "code": code_digest(tuple(sorted(packages))),
            "python": platform.python_version(),
            "cryptography": version("cryptography"),
            "openssl": backend.openssl_version_text(),
            "self_test": {contract.name: contract.self_test() for contract in contracts},
        },
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


@cache
def code_digest(packages: tuple[str, ...]) -> str:
    """Hex SHA-256 over name and bytes of every .py file of the packages, in sorted order.

    Equal digests mean equal sources; they prove nothing about what another process runs.
    """
    digest = hashlib.sha256()
    for package in packages:
        for name, path in _sources(package):
            content = path.read_bytes()
            digest.update(f"{package}/{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _sources(package: str) -> Iterable[tuple[str, Path]]:
    location = _location(package)
    if location.name != "__init__.py":
        return [(location.name, location)]
    folder = location.parent
    return sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py"))


def _location(package: str) -> Path:
    module = sys.modules.get(package) or importlib.import_module(package)
    file = getattr(module, "__file__", None)  # what `python -c` runs has not even the name
    if file is None:
        raise ValueError(f"{package} has no source file")
    return Path(file)


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.name,
        "info": {"title": contract.name, "version": _version(contract)},
        "transactions": [_transaction(item) for item in contract.transactions.values()],
    }


def _transaction(transaction: Transaction) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": transaction.name,
        "tag": [transaction.tag, transaction.tag.upper()],
        "parameters": [
            {"name": name, "schema": _SCHEMAS[kind]} for name, kind in transaction.parameters
        ],
    }
    if transaction.returns in _SCHEMAS:
        described["returns"] = _SCHEMAS[transaction.returns]
    return described


def _root(contract: Contract) -> str:
    """The top-level package of a contract; its own module where it belongs to none."""
    module = type(contract).__module__
    root = module.partition(".")[0]
    return root if getattr(sys.modules.get(root), "__file__", None) else module


def _version(contract: Contract) -> str:
    try:
        return version(_root(contract).replace("_", "-"))
    except PackageNotFoundError:
        return "0"
