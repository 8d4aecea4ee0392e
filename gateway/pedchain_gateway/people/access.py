# SPDX-License-Identifier: Apache-2.0
"""Who may ask for what: one row for each route, looked at before the route is.

A route without a row is refused. A person's token must carry the row's role, and the district and
account of the path where there are some; what is not a person's is not there for it (404), so that
nobody learns what exists.
"""

from enum import Enum

from fastapi import Request

from pedchain_gateway.people.identity import Issuer, NotKnownError, Person
from pedchain_gateway.service.problems import Problem, ProblemError

PERSON = "pedchain.person"
"""Where a request's scope holds the person that asks."""
TRANSACTION = "pedchain.transaction"
"""And the transaction that came of it."""


class Who(Enum):
    """Who may; the value is for people."""

    ANYONE = "anyone"
    SIGNED = "whoever brings what a device signed"
    CLIENT = "an OpenADR client with its token"
    AUDITOR = "a person with role `auditor`"
    PROSUMER = "a person with role `prosumer` and this account"
    DISTRICT = "a person with role `district` and this district"


ROLES = {Who.AUDITOR: "auditor", Who.PROSUMER: "prosumer", Who.DISTRICT: "district"}

TABLE: dict[tuple[str, str], Who] = {
    ("POST", "/v1/readings"): Who.SIGNED,
    ("GET", "/v1/submissions/{submission}"): Who.ANYONE,
    ("GET", "/v1/transactions/{transaction}"): Who.ANYONE,
    ("POST", "/v1/districts/{district}/claims/{claim}"): Who.SIGNED,
    ("POST", "/v1/districts/{district}/flexibility/enrolments"): Who.SIGNED,
    ("POST", "/v1/districts/{district}/flexibility/withdrawals"): Who.SIGNED,
    ("POST", "/v1/districts/{district}/flexibility/answers"): Who.SIGNED,
    ("POST", "/v1/districts/{district}/flexibility/dispatches"): Who.SIGNED,
    ("POST", "/v1/districts/{district}/flexibility/commands"): Who.SIGNED,
    ("POST", "/openadr3/auth/token"): Who.CLIENT,
    ("GET", "/openadr3/programs"): Who.CLIENT,
    ("GET", "/openadr3/programs/{identifier}"): Who.CLIENT,
    ("GET", "/openadr3/events"): Who.CLIENT,
    ("GET", "/openadr3/events/{identifier}"): Who.CLIENT,
    ("POST", "/openadr3/reports"): Who.CLIENT,
    ("GET", "/v1/districts/{district}/certificates"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/certificates/{day}"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/certificates/{day}/history"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/certificates/{day}/proof"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/rolling/{day}"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/months"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/months/{month}"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/months/{month}/history"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/events"): Who.ANYONE,
    ("GET", "/v1/districts/{district}/points/{point}/proofs/{day}/{instant}"): Who.DISTRICT,
    ("GET", "/v1/districts/{district}/surplus/{day}"): Who.ANYONE,
    ("GET", "/v1/factors/{version}"): Who.ANYONE,
    ("GET", "/v1/market/sessions/{session}"): Who.ANYONE,
    ("GET", "/v1/accounts/{account}"): Who.PROSUMER,
    ("GET", "/v1/accounts/{account}/orders"): Who.PROSUMER,
    ("GET", "/v1/accounts/{account}/orders/{order}"): Who.PROSUMER,
    ("GET", "/v1/accounts/{account}/trades/{session}"): Who.PROSUMER,
    ("GET", "/v1/accounts/{account}/statements/{carrier}/{hour}"): Who.PROSUMER,
    ("POST", "/v1/accounts/{account}/debits"): Who.PROSUMER,
    ("GET", "/v1/blocks"): Who.AUDITOR,
    ("GET", "/v1/blocks/{number}"): Who.AUDITOR,
    ("GET", "/v1/blocks/{number}/raw"): Who.AUDITOR,
    ("GET", "/v1/blocks/{number}/export"): Who.AUDITOR,
    ("GET", "/v1/transactions/{transaction}/details"): Who.AUDITOR,
    ("GET", "/v1/keys/{namespace}"): Who.AUDITOR,
    ("GET", "/healthz"): Who.ANYONE,
    ("GET", "/metrics"): Who.ANYONE,
    # Pages: who may see more than anyone is asked by the cookie (page.visitor), there is no header.
    ("GET", "/page"): Who.ANYONE,
    ("GET", "/page/style.css"): Who.ANYONE,
    ("GET", "/page/districts/{district}"): Who.ANYONE,
    ("GET", "/page/districts/{district}/certificates/{day}"): Who.ANYONE,
    ("GET", "/page/market"): Who.ANYONE,
    ("GET", "/page/market/{session}"): Who.ANYONE,
    ("GET", "/page/flexibility"): Who.ANYONE,
    ("GET", "/page/flexibility/{order}"): Who.ANYONE,
    ("GET", "/page/districts/{district}/statements/{order}/{site}"): Who.ANYONE,
    ("GET", "/page/accounts/{account}"): Who.ANYONE,
    ("GET", "/page/ledger"): Who.ANYONE,
    ("GET", "/page/ledger/blocks/{number}"): Who.ANYONE,
    ("GET", "/page/ledger/transactions/{transaction}"): Who.ANYONE,
    ("GET", "/page/ledger/keys/{namespace}"): Who.ANYONE,
    ("GET", "/page/health"): Who.ANYONE,
    ("GET", "/page/enter"): Who.ANYONE,
    ("POST", "/page/enter"): Who.ANYONE,
}


async def person_of(issuer: Issuer | None, header: str) -> Person:
    """Whom an `Authorization` header is of. Raises `ProblemError`."""
    scheme, _, token = header.partition(" ")
    if issuer is None or scheme.lower() != "bearer":
        raise ProblemError(Problem.NOT_AUTHORIZED)
    try:
        return await issuer.person(token.strip())
    except NotKnownError as error:
        raise ProblemError(Problem.NOT_AUTHORIZED) from error


def check(who: Who, person: Person, asked: dict[str, str]) -> None:
    """Raises `ProblemError` unless the person has the role, and what is asked for is its own."""
    if ROLES[who] not in person.roles:
        raise ProblemError(Problem.FORBIDDEN, f"role {ROLES[who]} is needed")
    if who is Who.DISTRICT and asked["district"] not in person.districts:
        raise ProblemError(Problem.NOT_FOUND)
    if who is Who.PROSUMER and asked["account"] not in person.accounts:
        raise ProblemError(Problem.NOT_FOUND)


async def guard(request: Request) -> None:
    """Judge a request by the table. Raises `ProblemError`."""
    from pedchain_gateway.service.services import services

    who = TABLE.get((request.method, request.scope["route"].path))
    if who is None:
        raise ProblemError(Problem.NOT_FOUND)
    known = services(request)
    if who not in ROLES:
        if who is Who.ANYONE:
            known.rates.anyone(request.client.host if request.client else "")
        return
    person = await person_of(known.issuer, request.headers.get("authorization", ""))
    request.scope[PERSON] = person
    known.audit.ready()
    known.rates.person(person)
    check(who, person, request.path_params)
