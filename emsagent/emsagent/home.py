# SPDX-License-Identifier: Apache-2.0
"""One home: its meters, their keys and counters, and the outbox that remembers.

Order is everything here: payload and counter are on the disk before the signature is made, the
signed bytes are on the disk before anyone else sees them. After a crash at any point the same
payload is signed under the same counter, so a counter never stands for two payloads.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import keyring, limits, logs, records
from emsagent.config import Config, DeviceConfig, HomeConfig
from emsagent.drivers import Driver, Sample, open_driver
from emsagent.drivers.live import Live
from emsagent.drivers.signing import SelfSigning, checked
from emsagent.errors import DeviceBlocked, DriverFault, KeyFileError, OutboxFull
from emsagent.failpoint import Failpoint, reach
from emsagent.mark import Mark
from emsagent.outbox import Draft, Outbox
from emsagent.steering.intent import intent

Listener = Callable[[str, Sequence[Sample]], None]
"""Who wants to know what a device was read, once it is stored."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A device of the home, ready to be read and to sign."""

    device: DeviceConfig
    driver: Driver
    key: ec.EllipticCurvePrivateKey | None
    next: keyring.Next | None = None

    def key_at(self, counter: int) -> ec.EllipticCurvePrivateKey:
        """The key that signs this counter."""
        key = self.next.key if self.next and counter >= self.next.first_counter else self.key
        assert key is not None  # a meter that signs itself reserves no counter here
        return key


def outbox_path(config: Config, home: str) -> Path:
    """Where a home's outbox lies."""
    return config.state / "outbox" / f"{home}.sqlite"


def mark_path(config: Config, home: str) -> Path:
    """Where a home's second memory of counters lies."""
    return config.state / "keys" / f"{home}.mark"


class Home:
    """Reads, signs and remembers. A context manager; raises `StateRegressed` on a copied state."""

    def __init__(self, config: Config, home: HomeConfig) -> None:
        self.config = home
        self._agent = config
        self.listeners: list[Listener] = []
        with ExitStack() as stack:
            self.outbox = stack.enter_context(
                Outbox(outbox_path(config, home.id), home.records_max)
            )
            counters = self.outbox.counters()
            self._mark = Mark(mark_path(config, home.id))
            self._mark.check(counters)
            self.meters = {device.id: _meter(config, device, counters) for device in home.devices}
            self._sign()
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def collect(self, until: int, since: int | None = None) -> int:
        """Read every meter up to `until`, sign, store; returns the number of new records.

        A meter seen for the first time is read from `since` on. A meter's fault is an alarm and
        does not stop the others. Raises `OutboxFull` after storing what there is room for.
        """
        drafts: list[Draft] = []
        passed = 0
        for meter in self.meters.values():
            self._flag(meter)
            try:
                self.outbox.check_unblocked(meter.device.id)
                if isinstance(meter.driver, SelfSigning):
                    passed += self._pass_on(meter, meter.driver)
                drafts += self._drafts(meter, until, since)
            except (DriverFault, DeviceBlocked) as error:
                self.alarm(error.code, f"{meter.device.id}: {error}")
        accepted = drafts[: self.outbox.room()]
        self._store(accepted)
        for draft in accepted:
            driver = self.meters[draft.device].driver
            if isinstance(driver, Live):
                driver.stored(draft.samples)
            for hear in self.listeners:
                hear(draft.device, draft.samples)
        if len(accepted) < len(drafts):
            waiting = len(drafts) - len(accepted)
            self.alarm(OutboxFull.code, f"limit of {self.config.records_max} records reached")
            raise OutboxFull(f"{self.config.id}: {waiting} records were not accepted")
        return passed + len(accepted)

    def live(self) -> dict[str, Live]:
        """The drivers that keep in touch with their devices, by device."""
        found = {name: one.driver for name, one in self.meters.items()}
        return {name: driver for name, driver in found.items() if isinstance(driver, Live)}

    def intent(self) -> dict[str, object]:
        """What it plans and has in the market."""
        return intent(self._agent, self.config.id)

    def alarm(self, name: str, detail: str) -> None:
        """Tell a person once, and keep it for `emsagent status`."""
        try:
            new = self.outbox.raise_alarm(int(time.time()), name, detail)
        except OutboxFull:
            new = True  # a full disk must not hide the alarm
        if new:
            logs.alarm(name, home=self.config.id, detail=detail)

    def _flag(self, meter: Meter) -> None:
        if isinstance(meter.driver, Live):
            for flag in meter.driver.flagged():
                self.alarm("held-back", f"{meter.device.id}: {flag}")

    def _pass_on(self, meter: Meter, driver: SelfSigning) -> int:
        """Keep what the meter signed itself; the number of new records."""
        new = 0
        for record in driver.records():
            try:
                new += self.outbox.pass_on(checked(record, meter.device.id))
            except (DriverFault, DeviceBlocked) as error:
                self.alarm(error.code, f"{meter.device.id}: {error}")
                driver.refused([record])
            else:
                driver.passed([record])
        return new

    def _drafts(self, meter: Meter, until: int, since: int | None) -> list[Draft]:
        device = meter.device.id
        after = self.outbox.last_instant(device)
        if after is None and since is not None:
            after = since - 1
        found = meter.driver.samples(after, until)
        samples = [
            sample for sample in islice(found, limits.SAMPLES_PER_COLLECT_MAX) if sample.registers
        ]
        counter = self.outbox.counters().get(device, 0)
        return [
            self._draft(meter.device, counter + number, chunk)
            for number, chunk in enumerate(
                records.chunks(samples, self.config.samples_per_record), 1
            )
        ]

    def _draft(self, device: DeviceConfig, counter: int, samples: Sequence[Sample]) -> Draft:
        payload = records.payload(self._agent, device, counter, samples)
        return Draft(device.id, counter, payload, samples[-1].instant, tuple(samples))

    def _store(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        self.outbox.reserve(drafts)
        self._mark.advance(self.outbox.counters())
        reach(Failpoint.COUNTER_RESERVED)
        self._sign()

    def _sign(self) -> None:
        """Sign whatever has a counter but no signature yet (also after a crash)."""
        signed = [
            (
                entry.id,
                records.sign(self.meters[entry.device].key_at(entry.counter), entry.content),
            )
            for entry in self.outbox.unsigned()
            if entry.device in self.meters
        ]
        if signed:
            reach(Failpoint.SIGNED)
            self.outbox.store_signed(signed)
            reach(Failpoint.STORED)


def _meter(config: Config, device: DeviceConfig, signed_to: dict[str, int]) -> Meter:
    """A device ready to sign; `signed_to` is up to which counter it has signed."""
    driver = open_driver(device.driver)
    if isinstance(driver, SelfSigning) and driver.signs_itself:
        return Meter(device, driver, None)
    keyring.finish(config, device.id, signed_to.get(device.id, 0))
    if device.id in signed_to and not keyring.exists(config, device):
        raise KeyFileError(
            f"the key of {device.id} is gone, but it has signed: make a new device of it"
        )
    return Meter(
        device,
        driver,
        keyring.load_or_create(config, device),
        keyring.upcoming(config, device.id),
    )
