# SPDX-License-Identifier: Apache-2.0
"""Claims of devices redone from the collection's data: what was offered, tried and settled.

A device comes to the ledger by a claim only if the code was the offer's, the device had signed for
its key, and the tries were not used up; and a claim that held must have brought its device.
"""

from collections.abc import Mapping
from typing import Any

from pedchain_audit.decisions import Act
from pedchain_audit.registry import Registry, RegistryError
from pedchain_domain import onboarding

TRIES = 5

Document = dict[str, Any]
Writes = Mapping[tuple[str, ...], Document]


class Claims:
    """One district's offers and last attempts; counts the claims it settled anew."""

    def __init__(self) -> None:
        self._offers: dict[str, Document] = {}
        self._attempts: dict[str, Document] = {}
        self.settled = 0

    def check(
        self,
        writes: Writes,
        registry: Registry,
        shown: Mapping[bytes, bytes],
        act: Act,
        channel: str,
    ) -> None:
        """One transaction; `writes` are its public documents. Raises `RegistryError`."""
        for key, after in writes.items():
            if key[0] != "claim":
                continue
            name = key[1]
            before = registry.get("claim", name)
            if before is None:
                self._offered(name, after, registry, shown)
            elif after["attempt"] == act.transaction:
                self._presented(name, before, after, registry, shown)
            elif after["state"] != "withdrawn":
                self._settled(name, before, after, writes, registry, channel)

    def _offered(
        self, name: str, after: Document, registry: Registry, shown: Mapping[bytes, bytes]
    ) -> None:
        offer = registry.private(shown, "claim", name)
        if (after["state"], after["tries"], after["attempt"]) != ("open", 0, None):
            raise RegistryError("a claim begins otherwise than open and untried")
        if offer is not None:
            self._offers[name] = offer

    def _presented(
        self,
        name: str,
        before: Document,
        after: Document,
        registry: Registry,
        shown: Mapping[bytes, bytes],
    ) -> None:
        tried = {**before, "tries": before["tries"] + 1, "attempt": after["attempt"]}
        late = registry.must("fence")["period"] > before["through"]
        if after != tried or before["state"] != "open" or before["tries"] >= TRIES or late:
            raise RegistryError("a claim was tried that may not be, or a try is not counted")
        attempt = registry.private(shown, "attempt", name)
        if attempt is not None:
            self._attempts[name] = attempt

    def _settled(
        self,
        name: str,
        before: Document,
        after: Document,
        writes: Writes,
        registry: Registry,
        channel: str,
    ) -> None:
        offer, attempt = self._offers.get(name), self._attempts.pop(name, None)
        if offer is None or attempt is None:  # erased since: nothing is left to redo it from
            return
        network = registry.must("fence")["network"]
        device = onboarding.accepts(offer, attempt["code"], attempt["possession"], network, channel)
        exhausted = "exhausted" if before["tries"] >= TRIES else "open"
        if after != {**before, "state": "used" if device else exhausted, "attempt": None}:
            raise RegistryError("a claim is settled otherwise than its last try allows")
        made = [one["document"] for key, one in writes.items() if key[0] == "device"]
        if made != ([] if device is None else [device]):
            raise RegistryError("a claim brings another device than was offered and answered for")
        self.settled += 1
