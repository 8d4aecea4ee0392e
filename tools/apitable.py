# SPDX-License-Identifier: Apache-2.0
"""docs/api.md: every route of the gateway as the application describes it, who may, problems."""

from pathlib import Path
from typing import Any, cast

from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.ledger.port import Ledger
from pedchain_gateway.people.access import TABLE
from pedchain_gateway.service.app import VERSION, create
from pedchain_gateway.service.problems import Problem
from pedchain_gateway.service.services import assemble

HEAD = f"""# The gateway's HTTP interface
Made by `make docs` from the application and its access table (gateway/pedchain_gateway/people/access.py); `GET /openapi.json` is the same
for programs, version {VERSION}. Makers of devices begin with [devices.md](devices.md).

- **People** bring `Authorization: Bearer` with a token of the issuer in `[people]` (OpenID Connect; issuer, audience and algorithms are pinned, keys come from
  `keys` or `keys_url`). Its claims `ped_roles`, `ped_districts`, `ped_accounts`, `ped_organization` say what the person may. For trying, on loopback and without
  `[people]`: `ped-gateway token --config gateway.toml --role auditor`. What is another's is answered 404.
- **Bounds**: bodies of 1 MiB, packed and unpacked, in 15 s, nested 8 deep; a minute's share by device, person, organisation and address (`[rates]`). 429 and 503
  carry `Retry-After`, and nothing was taken.
- **Problems** are `application/problem+json` (RFC 9457): stable `type`, `reason` of the ledger, `transaction`, Fabric's validation `code`.
- **Unknown outcomes** are 202 with an address to ask, never an error. The same bytes again are always safe.
- **Pages** answer `cursor`; give it back as the parameter named below it. What never changes has an `ETag` and `immutable`; the rest an `ETag` where it is a document.
- **Events** are server-sent: `id` is the checkpoint, header `Last-Event-ID` goes on from there. An event is told once the certificate it names was read; others
  of the contracts name no key and are not told.
- **What people did** stands in `audit.log` beside the index, a line each, chained by hashes and carried on from file to file (64 MiB each): `ped-gateway audit-log FILE`. While it cannot be written, people get 507.
- The service holds no member's key: orders and transfers are debits that the account's key signed, posted to `/v1/accounts/{{account}}/debits`.
"""  # noqa: E501 - lines of a page


def page() -> str:
    """The page."""
    lines = [HEAD, "## Routes", "", "| route | who | what |", "|---|---|---|"]
    for (method, path), operation in operations():
        text = " ".join(str(operation["description"]).split())
        lines.append(
            f"| `{method} {path}`{asked(operation)} | {TABLE[method, path].value} | {text} |"
        )
    paths = {row for row, _ in operations()}
    for method, path in sorted(set(TABLE) - paths):
        lines.append(f"| `{method} {path}` | {TABLE[method, path].value} | Of the web page. |")
    lines += ["", "## Problems", "", "| `type` | HTTP | means |", "|---|---|---|"]
    for one in Problem:
        wait = f"; `Retry-After: {one.value.retry_after_s}`" if one.value.retry_after_s else ""
        lines.append(f"| `{one.type}` | {one.value.status} | {one.value.title}{wait} |")
    return "\n".join(lines) + "\n"


def operations() -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Methods and paths with OpenAPI's description, in the table's order."""
    paths = described()["paths"]
    return [(row, paths[row[1]][row[0].lower()]) for row in TABLE if row[1] in paths]


def described() -> dict[str, Any]:
    """What `/openapi.json` says."""
    known = {"profile": Path("p"), "state": Path("s"), "districts": {"D": {}}}
    index = Index(None)
    app = create(assemble(Config.model_validate(known), cast("Ledger", None), index))
    index.close()
    return app.openapi()


def asked(operation: dict[str, Any]) -> str:
    """The query's parameters."""
    found = operation.get("parameters", [])
    names = [one["name"] for one in found if one["in"] == "query"]
    return f"<br>?{' &'.join(names)}" if names else ""
