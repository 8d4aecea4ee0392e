# SPDX-License-Identifier: Apache-2.0
"""A gateway on a socket, asked by Schemathesis what its own description lets one ask."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings

from pedchain_domain import canonical
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.spool import Spool
from pedchain_gateway.ledger.port import Refused
from pedchain_gateway.people import trial
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import assemble
from tests.unit.gateway.conftest import FakeLedger

BLOCKS = Path(__file__).parents[2] / "golden/main-job/blocks"
EXCLUDED = ("positive_data_acceptance",)
"""A schema says nothing of signatures, nor which districts there are."""
LISTS = ("GetCertificateHistory", "GetMonthlyHistory")
STREAMS = {
    "/v1/districts/{district}/events",
    "/v1/districts/{district}/flexibility/commands",
}
"""Answers that do not end."""
PAGES = ("ListCertificates", "ListMonthly")


class Answering(FakeLedger):
    """Knows blocks and nothing of what contracts are asked for."""

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        if function == "GetFence":
            return await super().evaluate(definition, function, *arguments)
        if function in PAGES:
            return canonical.encode({"bookmark": "", "certificates": []})
        if function in LISTS:
            return b"[]"
        raise Refused("not-found")


@contextmanager
def described(folder: Path) -> Iterator[Any]:
    """The schema of a gateway that serves; questions that want a person's token bring one that may
    all, and the check `ignored_auth` leaves it out and brings a wrong one."""
    ledger = Answering(blocks=[path.read_bytes() for path in sorted(BLOCKS.iterdir())])
    rates = dict.fromkeys(
        ("records_per_device", "forged_per_address", "requests_per_person",
         "requests_per_organization", "requests_per_address"), 10**9
    )  # fmt: skip
    known = {"profile": folder, "state": folder, "districts": {"DistrictA": {}}, "rates": rates}
    config = Config.model_validate(known)
    opened: list[Any] = []

    def serve() -> None:
        index, spool = Index(folder / "index"), Spool(folder / "spool")
        services = assemble(config, ledger, index, spool=spool)
        app = create(services)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # older uvicorn
        opened.extend((app, server))
        server.run()
        for kept in (index, spool, services.histories):
            kept.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while len(opened) < 2 or not opened[1].started:
        assert time.monotonic() < deadline, "the gateway does not serve"
        time.sleep(0.01)
    app, server = opened
    port = server.servers[0].sockets[0].getsockname()[1]
    document = app.openapi()
    paths = {path: found for path, found in document["paths"].items() if path not in STREAMS}
    schema = schemathesis.openapi.from_dict({**document, "paths": paths})
    schema.config.update(base_url=f"http://127.0.0.1:{port}")
    token = trial.token(folder, "tester", ["auditor", "prosumer", "district"], ["DistrictA"], ["a"])
    schema.auth(refresh_interval=None)(_bringing(token))
    try:
        yield schema
    finally:
        server.should_exit = True
        thread.join(30)


def _bringing(token: str) -> type:
    """Schemathesis' provider of this token."""

    class Person:
        def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str | None:
            needed = case.operation.definition.raw.get("security")
            return token if needed else None

        def set(
            self, case: schemathesis.Case, data: str, context: schemathesis.AuthContext
        ) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}

    return Person


def ask_all(schema: Any, count: int) -> int:
    """So many examples of each operation, the same every time; how many operations there are."""
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        _ask(operation, count)
        asked += 1
    return asked


def ask_in_turn(schema: Any, count: int, steps: int) -> None:
    """So many walks from answer to question, each of so many steps."""

    class Walk(schema.as_state_machine()):  # type: ignore[misc] # a class made at run time
        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, excluded_checks=_left_out())

    Walk.run(settings=settings(_bounds(count), stateful_step_count=steps))


def _left_out() -> list[Any]:
    return [schemathesis.checks.CHECKS.get_one(name) for name in EXCLUDED]


def _bounds(count: int) -> settings:
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def _ask(operation: Any, count: int) -> None:
    @_bounds(count)
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=_left_out())

    ask()
