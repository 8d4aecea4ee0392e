# SPDX-License-Identifier: Apache-2.0
"""How often somebody may come: devices by their records, people and organisations by requests.

A record that turns out to be forged counts against where it came from, not against the device it
names: nobody can use up another's share.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from pedchain_gateway.config import Rates as Configured
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.people.identity import Person
from pedchain_gateway.service.problems import Problem, ProblemError


class Rates:
    """Counts of this minute. Each method raises `ProblemError` `rate-limited` past its bound."""

    def __init__(self, configured: Configured, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts = MovingWindowRateLimiter(MemoryStorage())
        self._device = configured.records_per_device
        # A device's records are counted here: at thousands a second each count must cost nothing.
        self._minute, self._records = 0, Counter[str]()
        self._forged = RateLimitItemPerMinute(configured.forged_per_address)
        self._person = RateLimitItemPerMinute(configured.requests_per_person)
        self._organization = RateLimitItemPerMinute(configured.requests_per_organization)
        self._address = RateLimitItemPerMinute(configured.requests_per_address)

    def anyone(self, address: str) -> None:
        """A request of somebody unknown."""
        self._take(self._address, "address", address)

    def person(self, person: Person) -> None:
        """A request of a person, which is also one of its organisation."""
        self._take(self._person, "person", person.subject)
        self._take(self._organization, "organization", person.organization)

    def devices(self, address: str, names: Iterable[str]) -> None:
        """Records are about to be taken."""
        self._look(self._forged, "forged", address)
        now = self._clock()
        if int(now) // 60 != self._minute:
            self._minute, self._records = int(now) // 60, Counter()
        for name, count in Counter(names).items():
            if self._records[name] + count > self._device:
                wait = max(1, round(60 - now % 60))
                raise ProblemError(Problem.RATE_LIMITED, retry_after_s=wait)

    def judged(self, address: str, names: Sequence[str], verdicts: Sequence[Verdict]) -> None:
        """What the ledger said of records that were taken."""
        forged = sum(verdict.status is Status.REJECTED for verdict in verdicts)
        self._records.update(
            name
            for name, verdict in zip(names, verdicts, strict=True)
            if verdict.status is not Status.REJECTED
        )
        if forged:
            self._counts.hit(self._forged, "forged", address, cost=forged)

    def _look(self, bound: RateLimitItemPerMinute, *name: str) -> None:
        if not self._counts.test(bound, *name):
            self._refuse(bound, *name)

    def _take(self, bound: RateLimitItemPerMinute, *name: str) -> None:
        if not self._counts.hit(bound, *name):
            self._refuse(bound, *name)

    def _refuse(self, bound: RateLimitItemPerMinute, *name: str) -> None:
        reset = self._counts.get_window_stats(bound, *name).reset_time
        wait = max(1, round(reset - time.time()))
        raise ProblemError(Problem.RATE_LIMITED, retry_after_s=wait)
