# SPDX-License-Identifier: Apache-2.0
"""Records in, verdicts out: form, memory, batch.

Records of one natural key go one after the other, so that what the index says of a key is true
when it is asked. A caller that leaves does not take its records along: they are finished and
remembered, and its retry is answered as a duplicate.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial

from pedchain_gateway import limits
from pedchain_gateway.intake.batcher import UNHEARD, Batcher
from pedchain_gateway.intake.decision import Ask, Submit, decide
from pedchain_gateway.intake.failpoint import Failpoint, reach
from pedchain_gateway.intake.form import Form, FormError, Key
from pedchain_gateway.intake.form import read as read_form
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.reconcile import Reconciler
from pedchain_gateway.intake.submission import UNAVAILABLE, Submitter
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.service.metrics import Metrics


class OverloadedError(Exception):
    """Too many records are inside: nothing was taken, come again."""


def read(district: str, record: bytes) -> Form | Verdict:
    """A record's form, or why it has none."""
    try:
        return read_form(district, record)
    except FormError as error:
        return Verdict(Status.REJECTED, error.reason)


class Intake:
    """Takes records for the districts this gateway serves."""

    def __init__(
        self,
        districts: Iterable[str],
        index: Index,
        submitter: Submitter,
        reconciler: Reconciler,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._index = index
        self._reconciler = reconciler
        self._metrics = metrics
        self._clock = clock
        self._lanes: dict[Key, asyncio.Task[list[Verdict]]] = {}
        self._inside = dict.fromkeys(districts, 0)
        self._batchers = {
            district: Batcher(partial(submitter.submit, district)) for district in self._inside
        }

    async def take(self, district: str, records: Sequence[bytes]) -> list[Verdict]:
        """Verdicts in the records' order. Raises `OverloadedError`: then nothing was taken."""
        return await self.judge(district, [read(district, record) for record in records])

    async def judge(self, district: str, records: Sequence[Form | Verdict]) -> list[Verdict]:
        """The same of records whose form was read."""
        if self._inside[district] + len(records) > limits.RECORDS_WAITING_MAX:
            raise OverloadedError
        reach(Failpoint.RECEIVED)
        self._count(district, len(records))
        try:
            verdicts = await self._all(district, records)
        finally:
            self._count(district, -len(records))
        for (status, reason), count in Counter((v.status, v.reason) for v in verdicts).items():
            self._metrics.records.labels(status, reason).inc(count)
        return verdicts

    async def drain(self) -> None:
        """Finish what is inside; for the end of the process."""
        for batcher in self._batchers.values():
            await batcher.drain()

    def _count(self, district: str, change: int) -> None:
        self._inside[district] += change
        self._metrics.inside.labels(district).set(self._inside[district])

    async def _all(self, district: str, records: Sequence[Form | Verdict]) -> list[Verdict]:
        """What is fresh goes together, at little cost a record; the rest is looked at alone."""
        forms = {place: one for place, one in enumerate(records) if isinstance(one, Form)}
        fresh = self._fresh(district, forms)
        together = [forms.pop(place) for place in fresh]
        group = self._lane([one.key for one in together], self._batchers[district].put(together))
        alone = await asyncio.gather(*(self._one(form) for form in forms.values()))
        found = await asyncio.shield(group)
        answers = dict(zip((*fresh, *forms), (*found, *alone), strict=True))
        return [one if isinstance(one, Verdict) else answers[at] for at, one in enumerate(records)]

    def _fresh(self, district: str, forms: Mapping[int, Form]) -> list[int]:
        """Where records stand of whose keys nothing is remembered and nothing is under way."""
        places: dict[Key, int] = {}
        for place, form in forms.items():
            if form.key not in self._lanes:
                places.setdefault(form.key, place)
        known = self._index.remembered(district, places)
        return [place for key, place in places.items() if key not in known]

    async def _one(self, form: Form) -> Verdict:
        while (running := self._lanes.get(form.key)) is not None:
            await asyncio.wait([running])
        return (await asyncio.shield(self._lane([form.key], self._resolve(form))))[0]

    def _lane(
        self, keys: Sequence[Key], work: Coroutine[None, None, list[Verdict]]
    ) -> asyncio.Task[list[Verdict]]:
        """Work on these keys, which others wait for and no caller's leaving ends."""
        lane = asyncio.create_task(work)

        def left(_: object) -> None:
            for key in keys:
                del self._lanes[key]

        self._lanes.update(dict.fromkeys(keys, lane))
        lane.add_done_callback(left)
        return lane

    async def _resolve(self, form: Form) -> list[Verdict]:
        """What is known, else what the ledger says."""
        while True:
            decision = decide(form, self._index.find(form.key), self._clock())
            match decision:
                case Verdict():
                    return [decision]
                case Submit():
                    return await self._batchers[form.key.district].put([form])
                case Ask(transaction=transaction):
                    try:
                        if not await self._reconciler.resolve(decision):
                            return [Verdict(Status.UNKNOWN, UNHEARD, transaction)]
                    except Unavailable:
                        return [Verdict(Status.RETRY, UNAVAILABLE, transaction)]
