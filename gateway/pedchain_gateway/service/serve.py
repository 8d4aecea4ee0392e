# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway serve`: one process, one organisation, one event loop."""

import asyncio
import signal
import ssl
import time
from functools import partial
from types import FrameType

import structlog
import uvicorn

from pedchain_gateway import limits
from pedchain_gateway.certifying.closing import Closer, ClosingError, keep_closing
from pedchain_gateway.config import Config
from pedchain_gateway.devices.connection import Connection
from pedchain_gateway.explorer.streams import Streams
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.spool import Spool, keep_sending
from pedchain_gateway.ledger.fabric import open_ledger
from pedchain_gateway.people.auditlog import AuditLog
from pedchain_gateway.service.app import create
from pedchain_gateway.service.services import Services, assemble

_log = structlog.get_logger("pedchain_gateway")


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; what is inside is finished first."""
    devices = config.tls.devices if config.tls else None
    index = Index(config.state / "index.sqlite")
    index.forget(before=time.time() - limits.INDEX_KEPT_S)
    spool = Spool(config.state / "spool.sqlite")
    spool.forget(before=time.time() - limits.SPOOL_KEPT_S)
    audit = AuditLog(config.state / "audit.log")
    async with await open_ledger(config.profile, config.user) as ledger:
        history = config.state / "history.sqlite"
        services = assemble(config, ledger, index, ledger.channel, spool, audit, history)
        app = create(services, background=partial(_beside, services))
        server = Server(
            services.streams,
            uvicorn.Config(
                app,
                http=Connection,
                host=config.host,
                port=config.port,
                ssl_certfile=config.tls.certificate if config.tls else None,
                ssl_keyfile=config.tls.key if config.tls else None,
                ssl_ca_certs=str(devices) if devices else None,
                ssl_cert_reqs=ssl.CERT_OPTIONAL if devices else ssl.CERT_NONE,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=limits.KEEP_ALIVE_S,
            ),
        )
        # uvicorn ends well on these signals, then raises them again: by then all is done.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _log.info("serving", listen=config.listen, districts=sorted(config.districts))
        await server.serve()
    services.histories.close()
    for kept in (audit, spool, index):
        kept.close()


class Server(uvicorn.Server):
    """Ends open streams when it is told to end: uvicorn would wait for them."""

    def __init__(self, streams: Streams, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end."""
        self._streams.ending = True
        super().handle_exit(sig, frame)


async def _beside(services: Services) -> None:
    """What goes on beside requests: old questions first, then closing days when they are due."""
    for transaction, settled in (await services.reconciler.settle_open()).items():
        _log.info("open transaction", transaction=transaction, settled=settled)
    async with asyncio.TaskGroup() as group:
        if services.spool is not None:
            for name in services.config.districts:
                judged = services.rates.judged
                group.create_task(keep_sending(services.spool, services.intake, name, judged))
        group.create_task(_close(services))


async def _close(services: Services) -> None:
    """Certify days when they are due, a tenth of the time at work, so that readings find room."""
    config = services.config
    closers = [
        Closer(services.ledger, name, config.definitions[name], rest=limits.CLOSING_REST)
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
