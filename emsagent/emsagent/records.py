# SPDX-License-Identifier: Apache-2.0
"""From samples to OCMF records: the payload first, its signature when the counter is safe.

What is read by the clock travels as fiscal records (`PG` F), what a charger reads of a transaction
as one record of it (T). A device does one or the other: its agent counts its records once.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import limits
from emsagent.config import Config, DeviceConfig
from emsagent.drivers import Sample
from pedchain_domain import ocmf, transactions
from pedchain_domain.registers import OCMF_UNITS

_FORMAT_VERSION = "1"


def chunks(samples: Sequence[Sample], samples_per_record: int) -> Iterator[Sequence[Sample]]:
    """Cut samples into runs that one record each carries: within its limits, one time status, and
    of a transaction all from its begin to its end; one that has not ended yet is left out."""
    if any(sample.reason for sample in samples):
        yield from _transactions(samples)
        return
    widest = max((len(sample.registers) for sample in samples), default=1)
    size = max(1, min(samples_per_record, limits.READINGS_PER_RECORD_MAX // max(1, widest)))
    for _, run in groupby(samples, key=lambda sample: sample.sync):
        same = list(run)
        for start in range(0, len(same), size):
            yield same[start : start + size]


def _transactions(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    begun: list[Sample] = []
    for sample in samples:
        begun.append(sample)
        if sample.reason in transactions.ENDS:
            yield begun
            begun = []


def payload(config: Config, device: DeviceConfig, counter: int, samples: Sequence[Sample]) -> bytes:
    """The bytes to be signed: samples of one time status under the device's next counter.

    Units that OCMF lacks travel in its vendor field (rules M2).
    """
    found = [
        (sample.instant, register.obis, register.text, register.unit)
        for sample in samples
        for register in sample.registers
    ]
    return ocmf.build(
        device=device.id,
        counter=counter,
        readings=[one for one in found if one[3] in OCMF_UNITS],
        extensions=[one for one in found if one[3] not in OCMF_UNITS],
        network=config.network,
        channel=config.channel,
        gateway=(device.model, "", _FORMAT_VERSION),
        state=next((sample.sync for sample in samples if sample.sync != "S"), "S"),
        reasons={sample.instant: sample.reason for sample in samples if sample.reason},
    )


def sign(key: ec.EllipticCurvePrivateKey, unsigned: bytes) -> bytes:
    """The whole record: payload and signature (ECDSA P-256 over SHA-256)."""
    return ocmf.sign(unsigned, key)
