# SPDX-License-Identifier: Apache-2.0
"""Orderers of a channel's quorum, each known by where the others reach it (`host`, `port`).

`BlockValidation` follows by itself. A consenter added is not one that runs: until it has joined and
caught up, it counts among the failed.
"""

from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Consenter as BftConsenter

from pedchain_fabric.admin import consensus
from pedchain_fabric.admin.channel import Consenter
from pedchain_fabric.admin.consensus import Entry
from pedchain_fabric.admin.edit.draft import Draft
from pedchain_fabric.admin.refusal import EditRefused, Reason, refuse_if


def of(config: Config) -> tuple[Consenter, ...]:
    """The channel's consenters in its own order. Under Raft id, MSP id and identity are empty."""
    return tuple(map(_read, consensus.entries(Draft(config).orderer)))


def next_id(config: Config) -> int:
    """A number no consenter has, above all there are (SmartBFT)."""
    return max((each.id for each in of(config)), default=0) + 1


def add(config: Config, consenter: Consenter) -> Config:
    """With one more consenter, last in order. Raises `EditRefused`."""
    draft = Draft(config)
    present = consensus.entries(draft.orderer)
    taken = (consenter.host, consenter.port) in [(each.host, each.port) for each in present]
    text = f"{consenter.host}:{consenter.port} is a consenter already"
    refuse_if(taken, Reason.DUPLICATE, text)
    entry = consensus.entry(consensus.kind(draft.orderer), consenter)
    consensus.put_entries(draft.orderer, [*present, entry])
    return draft.config


def remove(config: Config, host: str, port: int) -> Config:
    """Without this consenter. Raises `EditRefused`."""
    draft = Draft(config)
    present = list(consensus.entries(draft.orderer))
    del present[_index(present, host, port)]
    consensus.put_entries(draft.orderer, present)
    return draft.config


def replace(config: Config, host: str, port: int, consenter: Consenter) -> Config:
    """With `consenter` in the place of that one: new certificates, or a new address.

    It keeps the number of the one it replaces, whatever it says itself. Raises `EditRefused`.
    """
    draft = Draft(config)
    present = list(consensus.entries(draft.orderer))
    index = _index(present, host, port)
    entry = consensus.entry(consensus.kind(draft.orderer), consenter)
    old = present[index]
    if isinstance(entry, BftConsenter) and isinstance(old, BftConsenter):
        entry.id = old.id
    present[index] = entry
    consensus.put_entries(draft.orderer, present)
    return draft.config


def _index(present: list[Entry], host: str, port: int) -> int:
    for index, each in enumerate(present):
        if (each.host, each.port) == (host, port):
            return index
    raise EditRefused(Reason.UNKNOWN_CONSENTER, f"{host}:{port} is no consenter")


def _read(entry: Entry) -> Consenter:
    bft = entry if isinstance(entry, BftConsenter) else BftConsenter()
    return Consenter(
        id=bft.id,
        host=entry.host,
        port=entry.port,
        msp_id=bft.msp_id,
        identity=bft.identity,
        tls_certificate=entry.server_tls_cert,
    )
