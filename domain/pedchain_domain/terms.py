# SPDX-License-Identifier: Apache-2.0
"""Terms [from, to): when an occupancy or a share holds. `to` None means until further notice."""

from collections.abc import Iterable, Sequence
from typing import Any

from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
"""A document with `from` and `to`, epoch seconds."""


def holds(term: Document, instant: int) -> bool:
    """Whether the term holds at an instant."""
    return bool(term["from"] <= instant and (term["to"] is None or instant < term["to"]))


def overlap(one: Document, other: Document) -> bool:
    """Whether two terms have an instant in common."""
    starts_before = other["to"] is None or one["from"] < other["to"]
    ends_after = one["to"] is None or other["from"] < one["to"]
    return bool(starts_before and ends_after)


def check(term: Document) -> None:
    """Refuse a term that ends before it has begun; DomainError `malformed-document`."""
    if term["to"] is not None and term["to"] <= term["from"]:
        raise DomainError(Reason.MALFORMED_DOCUMENT, "to")


def added(terms: Sequence[Document], term: Document) -> list[Document]:
    """The terms with one more, by their beginning; DomainError `overlaps` if two would hold at
    once. The same term again changes nothing."""
    if term in terms:
        return list(terms)
    if any(overlap(term, other) for other in terms):
        raise DomainError(Reason.OVERLAPS)
    return sorted([*terms, term], key=lambda one: int(one["from"]))


def ended(terms: Sequence[Document], begun: int, to: int) -> list[Document]:
    """The terms with the one that began at `begun` ended; an end that is said is never moved.

    DomainError `wrong-state` where none began then, or it ends at another instant.
    """
    found = [term for term in terms if term["from"] == begun]
    if not found or found[0]["to"] not in (None, to):
        raise DomainError(Reason.WRONG_STATE, "no such open term")
    last = {**found[0], "to": to}
    check(last)
    return [last if term is found[0] else term for term in terms]


def heaviest(terms: Iterable[Document], weight: str) -> int:
    """The highest sum of a field over the terms that hold at one instant.

    A sum can only grow where a term begins, so those instants are all there is to look at.
    """
    held = list(terms)
    sums = [
        sum(int(one[weight]) for one in held if holds(one, begun))
        for begun in sorted({int(one["from"]) for one in held})
    ]
    return max(sums, default=0)
