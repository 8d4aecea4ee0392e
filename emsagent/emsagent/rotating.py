# SPDX-License-Identifier: Apache-2.0
"""A device's next key, and the way back after a restored disk.

`emsagent rotate` makes the next key and prints the rotate/1 that both keys sign, for the DSO or the
operator (`ped-gateway device rotate`). From its first counter on the agent signs with it.

After a restored or copied state counters were used that this disk does not know. With `--restored`
everything below the first counter is given up, the device is unblocked and goes on there under a
key that no copy of the disk has. What the meter counted meanwhile is in its next reading.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from emsagent import keyring
from emsagent.config import Config
from emsagent.errors import StateRegressed
from emsagent.home import mark_path, outbox_path
from emsagent.keys import public_hex
from emsagent.mark import Mark
from emsagent.outbox import Outbox
from pedchain_domain import documents, signed

Document = dict[str, Any]
CONTRACT = "metering"
"""The contract that binds a device's key."""


def rotate(
    config: Config, device: str, first_counter: int, name: str, *, restored: bool = False
) -> Document:
    """The rotate/1 of a configured device, from a counter on; `name` is what the ledger calls it.

    Raises `ConfigError`, `KeyFileError`, `StateRegressed` for a counter that is used already,
    `OutboxBusy` while the agent runs.
    """
    entry = keyring.device_of(config, device)
    home = next(one for one in config.homes if entry in one.devices)
    with Outbox(outbox_path(config, home.id), home.records_max) as outbox:
        mark = Mark(mark_path(config, home.id))
        used = max(outbox.counters().get(device, 0), mark.reached(device))
        if first_counter <= used:
            raise StateRegressed(f"{device} has signed counter {used}; begin after it")
        old = keyring.load(config, entry)
        new = keyring.begin(config, entry, first_counter).key
        if restored:
            outbox.skip_to(device, first_counter - 1)
            mark.advance({device: first_counter - 1})
    key = {"alg": "ES256", "spki": public_hex(new)}
    body = {"schema": "rotate/1", "device": name, "key": key, "first_counter": first_counter}
    domain = {"network": config.network, "channel": config.channel}
    message = signed.message(documents.check(body), **domain, contract=CONTRACT)
    by = {"old": old, "new": new}
    signatures = {which: one.sign(message, ec.ECDSA(SHA256())).hex() for which, one in by.items()}
    return {**body, "signatures": signatures}
