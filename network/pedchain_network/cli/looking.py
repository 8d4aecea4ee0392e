# SPDX-License-Identifier: Apache-2.0
"""`status`, `doctor`, `logs`, `monitor`: looking at a network without changing it."""

import asyncio
import json
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, app
from pedchain_network.state import State

_STATUS_CODES = {"up": 0, "down": 3, "degraded": 4}
_ILL = 4
_EXPORTER = "127.0.0.1:9440"
_LINES = 100


@app.command
def status(
    *,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
    watch: Annotated[float | None, Parameter(help="Look again every so many seconds.")] = None,
) -> int:
    """Say what runs and how far it is: exit code 0 up, 3 down, 4 degraded.

    A node is `up`, `behind` the others, `silent` (it runs and does not answer), `ended`, or
    `absent` (not started here, and not answering).
    """
    from pedchain_network.watch.look import look

    while True:
        found = asyncio.run(look(State(state.resolve())))
        if as_json:
            print(json.dumps(found.to_document(), indent=1), flush=True)
        else:
            print("\n".join(found.lines()), flush=True)
        if watch is None:
            return _STATUS_CODES[found.state]
        time.sleep(watch)
        print()


@app.command
def doctor(*, state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> int:
    """Find what is wrong or soon will be, each with its remedy: exit code 0 if nothing is, else 4.

    Looks at certificates, keys, disks, clocks, listeners, endpoints, orderers, ledgers, chaincode
    and private data, and puts one transaction per definition through.
    """
    from pedchain_network.watch.doctor.examine import examine

    report = asyncio.run(examine(State(state.resolve())))
    print(json.dumps(report.to_document(), indent=1) if as_json else "\n".join(report.lines()))
    return 0 if report.healthy else _ILL


@app.command
def logs(
    *nodes: str,
    state: StateOption = DEFAULT_STATE,
    follow: Annotated[bool, Parameter(negative=(), help="Go on with what comes.")] = False,
    since: Annotated[str, Parameter(help="90s, 15m, 2h, 1d, or a time in UTC.")] = "",
    lines: Annotated[int | None, Parameter(help="At most so many, the last ones.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Show the logs of all processes and containers as one, in the order of their times.

    Each line is led by the name of what wrote it. Without --since or --lines the last 100 lines.

    Parameters
    ----------
    nodes
        Only of these, by name; of all if none is named.
    """
    from pedchain_network.runtimes.runtime import by_name
    from pedchain_network.watch import logs as reading

    place = State(state.resolve())
    run = place.load()
    parts = [] if run is None else by_name(run.runtime).parts(place, run)
    chosen = reading.chosen(parts, nodes)
    begin = reading.since(since, datetime.now(UTC)) if since else reading.EVER
    most = lines if lines is not None or since else _LINES
    width = max((len(part.name) for part in chosen), default=0)
    form = reading.documents if as_json else partial(reading.formatted, width=width)
    for line in form(reading.last(chosen, most, begin)):
        print(line)
    if follow and chosen:
        for line in form(reading.follow(chosen)):
            print(line, flush=True)
    return 0


@app.command
def monitor(
    *,
    state: StateOption = DEFAULT_STATE,
    serve: Annotated[
        bool, Parameter(negative=(), help="Serve what no node measures, until interrupted.")
    ] = False,
    address: Annotated[str, Parameter(help="Where --serve listens, as Prometheus is told.")] = (
        _EXPORTER
    ),
    textfile: Annotated[
        Path | None, Parameter(help="Write the same once, for node_exporter's textfile collector.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Write Prometheus' configuration and alert rules for this network into STATE/monitor.

    Fabric has no metric for the end of certificates, full disks or chaincode servers: these are
    served by `ped-network monitor --serve`, which the configuration scrapes too.
    """
    from pedchain_network.watch.monitor import exporter, writing

    place = State(state.resolve())
    if textfile is not None:
        writing.textfile(place, textfile)
        print(json.dumps({"written": [str(textfile)]}) if as_json else f"written: {textfile}")
        return 0
    if serve:
        with exporter.server(address, lambda: writing.measure(place)) as serving:
            print(f"serving http://{address}/metrics", flush=True)
            serving.serve_forever()
        return 0
    written = writing.write(place, address)
    if as_json:
        print(json.dumps({"written": list(map(str, written))}))
        return 0
    for path in written:
        print(f"written: {path}")
    print(f"run: prometheus --config.file={place.root / 'monitor' / 'prometheus.yml'}")
    print(f"and: ped-network monitor --serve --address {address} --state {state}")
    return 0
