# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway serve`: one process, one organisation, one event loop."""

import signal
import time
from functools import partial

import structlog
import uvicorn

from pedchain_gateway import limits
from pedchain_gateway.certifying.closing import Closer, ClosingError, keep_closing
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.ledger.fabric import open_ledger
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services, assemble

_log = structlog.get_logger("pedchain_gateway")


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; what is inside is finished first."""
    index = Index(config.state / "index.sqlite")
    index.forget(before=time.time() - limits.INDEX_KEPT_S)
    async with await open_ledger(config.profile, config.user) as ledger:
        services = assemble(config, ledger, index, ledger.channel)
        app = create(services, background=partial(_beside, services))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=config.host,
                port=config.port,
                ssl_certfile=config.tls.certificate if config.tls else None,
                ssl_keyfile=config.tls.key if config.tls else None,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=limits.KEEP_ALIVE_S,
            )
        )
        # uvicorn ends well on these signals, then raises them again: by then all is done.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _log.info("serving", listen=config.listen, districts=sorted(config.districts))
        await server.serve()
    index.close()


async def _beside(services: Services) -> None:
    """What goes on beside requests: old questions first, then closing days when they are due."""
    for transaction, settled in (await services.reconciler.settle_open()).items():
        _log.info("open transaction", transaction=transaction, settled=settled)
    config = services.config
    closers = [
        Closer(services.ledger, name, config.definitions[name])
        for name, district in config.districts.items()
        if district.close
    ]
    if closers:
        await keep_closing(closers, config.close_every_s, partial(_note, services))


def _note(services: Services, closer: Closer, error: ClosingError | None, closed: int) -> None:
    result = "failed" if error else "closed" if closed else "nothing-due"
    services.metrics.closings.labels(closer.district, result).inc()
    if error is not None:
        _log.warning("closing failed", district=closer.district, detail=str(error))
    elif closed:
        _log.info("closed", district=closer.district, certificates=closed)
