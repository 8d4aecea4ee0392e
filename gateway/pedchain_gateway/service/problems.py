# SPDX-License-Identifier: Apache-2.0
"""Every problem this service answers with, in one table (RFC 9457, application/problem+json).

The `type` is stable and is what programs look at; titles are for people. A problem never shows
internals: no stack, no peer's text, no path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

CONTENT_TYPE = "application/problem+json"
_TYPE = "urn:pedchain:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: HTTP status, title, seconds to wait where the caller should come again."""

    status: int
    title: str
    retry_after_s: int | None = None


class Problem(Enum):
    """The table. The name is the slug of the type."""

    MALFORMED_REQUEST = Kind(400, "The request cannot be read")
    NOT_AUTHORIZED = Kind(401, "A token of a known client is needed")
    FORBIDDEN = Kind(403, "The token does not allow this")
    NOT_BOUND = Kind(403, "This connection may not bring these records")
    NOT_PROVEN = Kind(403, "The signature is not that of whom it should be")
    NOT_FOUND = Kind(404, "There is nothing here")
    UNKNOWN_DISTRICT = Kind(404, "This gateway does not serve that district")
    METHOD_NOT_ALLOWED = Kind(405, "The method is not allowed here")
    BODY_TOO_SLOW = Kind(408, "The body took too long to arrive")
    LEDGER_CONFLICT = Kind(409, "The ledger refused the transaction")
    BODY_TOO_LARGE = Kind(413, "The body is too large")
    TOO_MANY_RECORDS = Kind(413, "There are too many records in one request")
    UNSUPPORTED_MEDIA_TYPE = Kind(415, "The content type is not supported")
    UNSUPPORTED_ENCODING = Kind(415, "The content encoding is not supported")
    OVERLOADED = Kind(429, "Too many records are waiting; nothing was taken", 2)
    RATE_LIMITED = Kind(429, "Too much came in this minute; nothing was taken", 60)
    INTERNAL = Kind(500, "Something went wrong in this service")
    LEDGER_UNAVAILABLE = Kind(503, "The ledger cannot be reached; nothing was recorded", 5)
    STORAGE_FULL = Kind(507, "This service's disk takes nothing; nothing was taken", 30)

    @property
    def slug(self) -> str:
        """The name in the problem's type."""
        return self.name.lower().replace("_", "-")

    @property
    def type(self) -> str:
        """The stable type URI."""
        return _TYPE + self.slug


class ProblemError(Exception):
    """Ends a request with a problem.

    `reason` is a stable slug of the ledger or the domain, `transaction` the id concerned, `code`
    Fabric's validation code; `retry_after_s` replaces the problem's own time to wait.
    """

    def __init__(
        self,
        problem: Problem,
        detail: str = "",
        *,
        reason: str | None = None,
        transaction: str | None = None,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(problem.slug)
        self.problem = problem
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.members = {"reason": reason, "transaction": transaction, "code": code}


def body(problem: Problem, detail: str, members: Mapping[str, str | None]) -> dict[str, str | int]:
    """The problem's JSON members; those without a value are left out."""
    found: dict[str, str | int] = {
        "type": problem.type,
        "title": problem.value.title,
        "status": problem.value.status,
    }
    if detail:
        found["detail"] = detail
    found.update({name: value for name, value in members.items() if value is not None})
    return found


def headers(problem: Problem, retry_after_s: int | None = None) -> dict[str, str]:
    """Headers that belong to the problem."""
    wait = retry_after_s or problem.value.retry_after_s
    found = {} if wait is None else {"retry-after": str(wait)}
    if problem is Problem.NOT_AUTHORIZED:
        found["www-authenticate"] = "Bearer"
    return found
