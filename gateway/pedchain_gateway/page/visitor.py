# SPDX-License-Identifier: Apache-2.0
"""Who looks at the page: anyone, or a person whose token the browser keeps in a cookie.

The token is the same that the API takes, and what it opens is judged by the same rules; a page has
no header to carry it in. No script can read the cookie, and no other site's request carries it.
"""

from fastapi import Request, Response

from pedchain_gateway.people.access import PERSON, Who, check, person_of
from pedchain_gateway.people.identity import Person
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

COOKIE = "pedchain"
PATH = "/page"


async def visitor(request: Request) -> Person | None:
    """The person whose token came along; None where none did, or one that says nothing."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    known = services(request)
    try:
        person = await person_of(known.issuer, f"Bearer {token}")
    except ProblemError:
        return None
    request.scope[PERSON] = person
    known.rates.person(person)
    return person


async def must(request: Request, who: Who) -> Person:
    """The person, who has the role for what the path names. Raises `ProblemError`."""
    person = await visitor(request)
    if person is None:
        raise ProblemError(Problem.NOT_AUTHORIZED)
    services(request).audit.ready()
    check(who, person, request.path_params)
    return person


def enter(request: Request, response: Response, token: str) -> None:
    """Have the browser keep a token until it is closed."""
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=PATH, secure=secure, httponly=True, samesite="strict")


def leave(response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")
