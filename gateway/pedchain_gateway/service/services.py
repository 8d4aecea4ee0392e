# SPDX-License-Identifier: Apache-2.0
"""What routes work with, put together once."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from pedchain_gateway.config import Config
from pedchain_gateway.intake.fence import Fence
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.intake import Intake
from pedchain_gateway.intake.reconcile import Reconciler
from pedchain_gateway.intake.submission import Submitter
from pedchain_gateway.ledger.port import Ledger
from pedchain_gateway.openadr.clients import Clients
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


def assemble(config: Config, ledger: Ledger, index: Index, channel: str = "ped") -> Services:
    """Wire the parts of one gateway to each other."""
    metrics = Metrics()
    fence = Fence(ledger, config.definitions)
    submitter = Submitter(ledger, index, fence, config.definitions, metrics)
    reconciler = Reconciler(ledger, index, resubmit_s=config.resubmit_after_s)
    intake = Intake(config.districts, index, submitter, reconciler, metrics)
    return Services(
        config,
        ledger,
        index,
        intake,
        reconciler,
        metrics,
        channel,
        Clients(config.openadr),
        Agents(ledger, channel),
    )


def services(request: Request) -> Services:
    """The parts of the gateway that serves this request."""
    return cast("Services", request.app.state.services)
