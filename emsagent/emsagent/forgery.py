# SPDX-License-Identifier: Apache-2.0
"""A forged record, for showing that it is refused: right form, another key.

It takes the next counter of a device and claims a day of feed-in that never was. It touches
neither the device's key nor its outbox: a forger has neither.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from emsagent import records
from emsagent.config import Config, DeviceConfig
from emsagent.drivers import Register, Sample

_CLAIMED = (Register("1-0:2.8.0*255", "99999000", "Wh"),)


def forge(config: Config, device: DeviceConfig, counter: int, instant: int) -> bytes:
    """A record of `device` at `counter`, signed by a key nobody registered."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    payload = records.payload(config, device, counter, [Sample(instant, "S", _CLAIMED)])
    return records.sign(stranger, payload)
