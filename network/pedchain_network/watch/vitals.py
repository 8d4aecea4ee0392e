# SPDX-License-Identifier: Apache-2.0
"""What one peer or orderer tells of itself through its operations interface.

Names are Fabric 3.1's (docs/source/metrics_reference.rst). A SmartBFT orderer knows who leads from
its view, and says whether it is itself the leader once a block was decided; Raft has no views,
only changes of leader.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass

from pedchain_network.watch import http
from pedchain_network.watch.doctor import clocks
from pedchain_network.watch.exposition import Exposition
from pedchain_network.watch.http import NoAnswer

_BFT = "consensus_BFT_"
_RAFT = "consensus_etcdraft_"


@dataclass(frozen=True, slots=True)
class Vitals:
    """`height` counts blocks; None where the node does not tell, or is no orderer.

    `leader` is the number of the consenter that leads; `view` SmartBFT's view, or Raft's changes
    of leader; `size` the number of consenters; `offset_s` how far its clock is ahead of ours.
    """

    version: str = ""
    height: int | None = None
    leads: bool = False
    leader: int | None = None
    view: int | None = None
    size: int | None = None
    blacklisted: int = 0
    couchdb: bool = False
    offset_s: float | None = None


async def ask(
    address: str, channel: str, timeout_s: float, tls: ssl.SSLContext | None = None
) -> Vitals | None:
    """Ask a node; None if it does not answer in time."""
    metrics, offset = await asyncio.gather(
        _get(address, "/metrics", timeout_s, tls), _clock(address, timeout_s, tls)
    )
    if metrics is None:
        return None
    return of(Exposition.parse(metrics.decode(errors="replace")), channel, offset)


async def _clock(address: str, timeout_s: float, tls: ssl.SSLContext | None) -> float | None:
    asked = time.time()
    told = await _get(address, "/healthz", timeout_s, tls)
    return None if told is None else clocks.offset_s(told, asked, time.time())


async def _get(
    address: str, path: str, timeout_s: float, tls: ssl.SSLContext | None
) -> bytes | None:
    try:
        return await http.get(address, path, timeout_s, tls)
    except NoAnswer:
        return None


def of(served: Exposition, channel: str, offset_s: float | None = None) -> Vitals:
    """What the metrics mean for one channel."""

    def count(name: str) -> int | None:
        return served.count(name, channel=channel)

    raft = count(f"{_RAFT}cluster_size") is not None
    family = _RAFT if raft else _BFT
    leader = count("consensus_smartbft_view_leader_id")
    versions = served.all("fabric_version")
    return Vitals(
        version=versions[0].labels.get("version", "") if versions else "",
        height=count("ledger_blockchain_height"),
        leads=count(f"{family}is_leader") == 1,
        leader=leader if leader is not None else count(f"{_BFT}leader_id"),
        view=count(f"{_RAFT}leader_changes" if raft else "consensus_smartbft_view_number"),
        size=count(f"{family}cluster_size"),
        blacklisted=count("consensus_smartbft_blacklist_count") or 0,
        couchdb=any(name.startswith("couchdb_") for name in served.names),
        offset_s=offset_s,
    )
