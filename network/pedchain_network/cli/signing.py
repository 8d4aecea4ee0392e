# SPDX-License-Identifier: Apache-2.0
"""`org csr`: an organisation whose certificates its own CA signs."""

import datetime
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pedchain_network.cli.app import DEFAULT_STATE, JsonOption, StateOption, TopologyOption
from pedchain_network.cli.organization import organization
from pedchain_network.errors import CertificateRefusedError
from pedchain_network.state import State


@organization.command
def csr(
    name: Annotated[str, Parameter(name="--organization", help="Whose.")],
    *,
    out: Annotated[Path | None, Parameter(help="Where requests are written.")] = None,
    everything: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also for what is there: to renew it.")
    ] = False,
    answers: Annotated[
        Path | None, Parameter(help="Take in what was signed: ca.pem, tlsca.pem, <name>.pem.")
    ] = None,
    topology: TopologyOption = None,
    state: StateOption = DEFAULT_STATE,
    as_json: JsonOption = False,
) -> int:
    """Write signing requests for what is missing (--out), or take the answers in (--answers)."""
    from pedchain_network.pki import answers as answered
    from pedchain_network.pki import requests
    from pedchain_network.topology import reader

    if (out is None) == (answers is None):
        raise CertificateRefusedError("one of --out and --answers is needed")
    held = State(state.resolve())
    with held.locked():
        whole = reader.load(topology) if topology else held.topology()
        member = {each.name: each for each in whole.organizations}.get(name)
        if member is None:
            known = ", ".join(each.name for each in whole.organizations)
            raise CertificateRefusedError(f"no organisation {name!r}", f"known: {known}")
        if out is not None:
            for leaf in requests.write(held.crypto, whole, member, out, all_=everything):
                print(json.dumps(asdict(leaf)) if as_json else requests.describe(leaf))
        elif answers is not None:
            now = datetime.datetime.now(datetime.UTC)
            taken = answered.accept(held.crypto, whole, member, answers, now)
            text = f"took {len(taken)} certificates of {name}"
            print(json.dumps({"taken": len(taken)}) if as_json else text)
    return 0
