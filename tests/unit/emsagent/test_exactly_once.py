# SPDX-License-Identifier: Apache-2.0
"""A machine against the outbox: whatever crashes, repeats or is lost, each record arrives once.

Goal: for any order of reading, sending, losing answers, reordering and crashing, the gateway ends
with every counter from 1 to n, once, in order, and one payload each. Method: the real home with
its real files; a crash drops the open object without closing it cleanly, a send may lose its
answer or be answered with any part still unknown.
"""

import asyncio
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from emsagent import config as configuration
from emsagent.delivery import deliver
from emsagent.errors import UplinkError
from emsagent.home import Home
from emsagent.outbox import State
from emsagent.uplink import Answer
from pedchain_domain import ocmf

T0 = 1_774_742_400
HOUR = 3_600


class Ledger:
    """Keeps what arrives; each answer may be lost or held back."""

    records_max = 100

    def __init__(self) -> None:
        self.payloads: dict[int, bytes] = {}
        self.first_seen: list[int] = []
        self.lose_answer = False
        self.hold_back: int | None = None

    async def post(self, records: list[bytes]) -> list[Answer]:
        """Take the records; then maybe fail to say so."""
        answers = [self._take(ocmf.parse(record)) for record in records]
        if self.lose_answer:
            raise UplinkError("no answer")
        if self.hold_back is not None:
            answers[self.hold_back % len(answers)] = Answer("unknown", "", "tx")
        return answers

    def _take(self, record: ocmf.Record) -> Answer:
        known = self.payloads.get(record.counter)
        if known is None:
            self.payloads[record.counter] = record.payload
            self.first_seen.append(record.counter)
            return Answer("recorded", "", "tx")
        return Answer("duplicate" if known == record.payload else "conflict", "", "tx")


class Street(RuleBasedStateMachine):
    """One home, one ledger, and everything that can happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        base = Path(self.folder.name)
        lines = ["instant,1-0:1.8.0*255/Wh"]
        lines += [f"{T0 + hour * HOUR},{hour}" for hour in range(500)]
        (base / "meter.csv").write_text("\n".join(lines) + "\n")
        (base / "agent.toml").write_text(
            'schema = "emsagent/1"\nnetwork = "test"\nchannel = "ped"\n'
            '[gateway.D]\nurl = "http://127.0.0.1:9"\n'
            '[[home]]\nid = "home"\ndistrict = "D"\nsamples_per_record = 2\n'
            '[[home.device]]\nid = "meter"\ndriver = { kind = "csv", file = "meter.csv" }\n'
        )
        self.config = configuration.load(base / "agent.toml")
        self.ledger = Ledger()
        self.hour = 0
        self.home = Home(self.config, self.config.homes[0])

    def teardown(self) -> None:
        self.home.__exit__(None, None, None)
        self.folder.cleanup()

    @precondition(lambda self: self.hour < 490)
    @rule(hours=st.integers(1, 7))
    def read(self, hours: int) -> None:
        self.hour += hours
        self.home.collect(until=T0 + self.hour * HOUR)

    @rule(lose=st.booleans(), hold_back=st.none() | st.integers(0, 9))
    def send(self, lose: bool, hold_back: int | None) -> None:
        self.ledger.lose_answer, self.ledger.hold_back = lose, hold_back
        self.home.outbox.set_pause(0, 0)
        asyncio.run(deliver(self.home, self.ledger))  # type: ignore[arg-type] # the one method it uses

    @rule(reserved_only=st.booleans(), hours=st.integers(1, 5))
    def crash(self, reserved_only: bool, hours: int) -> None:
        """The process ends; maybe right between reserving a counter and signing."""
        if reserved_only and self.hour < 490:
            self.hour += hours
            with patch.object(self.home, "_sign"):
                self.home.collect(until=T0 + self.hour * HOUR)
        self.home.outbox.close()
        self.home = Home(self.config, self.config.homes[0])

    @invariant()
    def each_counter_once_and_in_order(self) -> None:
        seen = self.ledger.first_seen
        assert seen == list(range(1, len(seen) + 1))

    @invariant()
    def what_the_outbox_calls_recorded_is_recorded(self) -> None:
        counts = self.home.outbox.counts()
        assert counts[State.RECORDED] <= len(self.ledger.payloads)
        assert counts[State.CONFLICT] == counts[State.REJECTED] == 0

    @rule()
    def in_the_end_all_arrives(self) -> None:
        self.send(False, None)
        instants = [
            reading.instant
            for counter in sorted(self.ledger.payloads)
            for reading in ocmf.parse(
                b'OCMF|%s|{"SA":"x","SD":"00"}' % self.ledger.payloads[counter]
            ).readings
        ]
        first = [] if not instants else [T0 + hour * HOUR for hour in range(self.hour + 1)]
        assert instants == first
        assert self.home.outbox.due(10) == []


TestExactlyOnce = Street.TestCase
TestExactlyOnce.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
