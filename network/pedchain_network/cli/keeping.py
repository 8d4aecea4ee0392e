# SPDX-License-Identifier: Apache-2.0
"""`backup`, `restore`, `bundle`: a network, or one organisation's part, as files."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pedchain_network.cli.app import (
    DEFAULT_STATE,
    JsonOption,
    StateOption,
    TopologyOption,
    app,
    progress,
)
from pedchain_network.state import State


@app.command
def backup(
    *,
    to: Annotated[Path | None, Parameter(name="--to", help="The archive to write.")] = None,
    with_keys: Annotated[
        bool, Parameter(name="--with-keys", negative=(), help="With all private keys.")
    ] = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Copy everything the network is into one verified archive.

    A running network stands still while its files are copied, and is brought up again.
    """
    from pedchain_network.keep import backup as keep

    report = progress(as_json=as_json)
    if with_keys:
        report.step("WARNING: whoever has this archive can act for everybody whose keys are in it")
    asyncio.run(keep.backup(State(state.resolve()), to, report, with_keys=with_keys))
    return 0


@app.command
def restore(
    archive: Path,
    *,
    keys: Annotated[
        Path | None,
        Parameter(name="--keys", help="A directory like the state's crypto/ with private keys."),
    ] = None,
    files_only: Annotated[
        bool, Parameter(name="--files-only", negative=(), help="Do not bring it up.")
    ] = False,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Make a state directory from a backup that verifies, bring the network up, and compare
    every ledger with what it held when the backup was made."""
    from pedchain_network.keep import comeback
    from pedchain_network.keep import restore as keep

    report, where = progress(as_json=as_json), State(state.resolve())
    manifest = keep.restore(archive.resolve(), where, keys, report)
    if files_only:
        report.step("next: ped-network up")
    else:
        asyncio.run(comeback.up(where, manifest, report))
    return 0


@app.command
def bundle(
    *,
    org: Annotated[str, Parameter(name="--org", help="Whose part.")],
    out: Annotated[
        Path | None, Parameter(name="--out", help="A directory, or a file that ends in .tar.gz.")
    ] = None,
    topology: TopologyOption = None,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Write what one organisation needs to run its part on a host of its own.

    With --topology, keys and genesis block of a network that is nowhere up yet are made first.
    """
    from pedchain_network.keep import bundle as keep

    report, where = progress(as_json=as_json), State(state.resolve())
    if topology is not None:
        from pedchain_network.topology import reader

        keep.prepare(reader.load(topology), where, report)
    keep.bundle(where, org, out or Path.cwd() / f"pedchain-{org}", report)
    return 0
