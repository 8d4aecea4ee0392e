# SPDX-License-Identifier: Apache-2.0
"""What routes work with, put together once."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fastapi import Request

from pedchain_gateway.config import Config
from pedchain_gateway.devices.binding import Bindings
from pedchain_gateway.explorer.chain import Chain
from pedchain_gateway.explorer.history import Histories
from pedchain_gateway.explorer.streams import Streams
from pedchain_gateway.intake.fence import Fence
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.intake import Intake
from pedchain_gateway.intake.reconcile import Reconciler
from pedchain_gateway.intake.spool import Spool
from pedchain_gateway.intake.submission import Submitter
from pedchain_gateway.ledger.port import Ledger
from pedchain_gateway.openadr.clients import Clients
from pedchain_gateway.people.auditlog import AuditLog
from pedchain_gateway.people.identity import Issuer, issuer_of
from pedchain_gateway.people.rates import Rates
from pedchain_gateway.service.agents import Agents
from pedchain_gateway.service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """One gateway's parts."""

    config: Config
    ledger: Ledger
    index: Index
    intake: Intake
    reconciler: Reconciler
    metrics: Metrics
    channel: str
    clients: Clients
    agents: Agents
    spool: Spool | None
    issuer: Issuer | None
    rates: Rates
    audit: AuditLog
    bindings: Bindings
    chain: Chain
    histories: Histories
    streams: Streams


def assemble(
    config: Config,
    ledger: Ledger,
    index: Index,
    channel: str = "ped",
    spool: Spool | None = None,
    audit: AuditLog | None = None,
    history: Path | None = None,
) -> Services:
    """Wire the parts of one gateway to each other.

    Without a `spool` nothing is acknowledged early; without `audit` and `history` (a file) what
    they keep is gone with the process.
    """
    metrics = Metrics()
    fence = Fence(ledger, config.definitions)
    submitter = Submitter(ledger, index, fence, config.definitions, metrics)
    reconciler = Reconciler(ledger, index, resubmit_s=config.resubmit_after_s)
    intake = Intake(config.districts, index, submitter, reconciler, metrics)
    chain = Chain(ledger)
    return Services(
        config=config,
        ledger=ledger,
        index=index,
        intake=intake,
        reconciler=reconciler,
        metrics=metrics,
        channel=channel,
        clients=Clients(config.openadr),
        agents=Agents(ledger, channel),
        spool=spool,
        issuer=issuer_of(config),
        rates=Rates(config.rates),
        audit=audit or AuditLog(None),
        bindings=Bindings(ledger, required=bool(config.tls and config.tls.devices_required)),
        chain=chain,
        histories=Histories(chain, history),
        streams=Streams(),
    )


def services(request: Request) -> Services:
    """The parts of the gateway that serves this request."""
    return cast("Services", request.app.state.services)
