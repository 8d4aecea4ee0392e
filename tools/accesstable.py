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
        *(f"| `{name}` | {may} |" for name, may in access.ROLES.items()),
        "",
        "Several roles stand with commas between them; who has none reads. The certificate's unit "
        f"must be one of {', '.join(access.SERVICE_OUS)}. `ped-network` gives each organisation's "
        "user `gateway` the roles `registrar,gateway`, `auditor`, `operator` and `provider` one "
        "each, and `admin`, who governs the channel, none. A service that should not do both gets "
        "a certificate of its own with one of them.",
        "",
        "From a version in which a certificate without the attribute could do all of its "
        "organisation's part: agree on the new chaincode and renew the users' certificates "
        "([certificates](admin/certificates.md)) in one go. Until both is done, what `gateway` "
        "submits is answered `not-permitted` and has to be sent again. Where that must not be, "
        "give services certificates of one role each beforehand: they serve both versions.",
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
        roles = ", ".join(f"`{role}`" for role in row.roles)
        text = inspect.getdoc(getattr(contract, transaction.method)) or ""
        does = " ".join(text.split("\n\n")[0].split())
        found.append(
            f"| {package} | `{contract.name}:{transaction.name}` | {', '.join(row.parties)} "
            f"| {roles} | {does} |"
        )
    return found
