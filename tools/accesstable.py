# SPDX-License-Identifier: Apache-2.0
"""docs/access.md: the table of who may do what, as the contracts apply it."""

import inspect

from pedchain_chaincode import access, cli
from pedchain_fabric.shim import Contract


def page() -> str:
    """The page, made from `pedchain_chaincode.access` and the contracts' docstrings."""
    lines = [
        "# Who may do what",
        "",
        "Made by `make docs` from chaincode/pedchain_chaincode/access.py. What a transaction's "
        "client may start; that it counts needs the endorsements of the definition's policy too "
        "([architecture](architecture.md)). Every other caller is answered `not-permitted`; what "
        "only reads is open to every member of the channel, private data to the collection's.",
        "",
        "| party | is |",
        "|---|---|",
        *(f"| {name} | {meaning} |" for name, meaning in access.PARTIES.items()),
        "",
        f"| `{access.ROLE_ATTRIBUTE}` of the certificate | may |",
        "|---|---|",
        *(f"| {f'`{name}`' if name else 'none'} | {may} |" for name, may in access.ROLES.items()),
        "",
        f"The certificate's unit must be one of {', '.join(access.SERVICE_OUS)}.",
        "",
        "| definition | transaction | parties | roles | does |",
        "|---|---|---|---|---|",
    ]
    for package in cli.PACKAGES:
        for contract in cli.contracts(package):
            lines += _rows(package, contract)
    return "\n".join(lines) + "\n"


def _rows(package: str, contract: Contract) -> list[str]:
    found = []
    for transaction in contract.transactions.values():
        if transaction.tag != "submit":
            continue
        row = access.TABLE[transaction.method]
        roles = ", ".join(f"`{role}`" if role else "none" for role in row.roles)
        text = inspect.getdoc(getattr(contract, transaction.method)) or ""
        does = " ".join(text.split("\n\n")[0].split())
        found.append(
            f"| {package} | `{contract.name}:{transaction.name}` | {', '.join(row.parties)} "
            f"| {roles} | {does} |"
        )
    return found
