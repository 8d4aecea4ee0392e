# SPDX-License-Identifier: Apache-2.0
"""`profile`: what clients need to reach the network, in the form that theirs reads."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pedchain_network.cli.app import DEFAULT_STATE, StateOption, app
from pedchain_network.state import State


class Form(StrEnum):
    """The forms a profile is written in."""

    GATEWAY = "gateway"
    HFC = "hfc"
    CCP = "ccp"


FormOption = Annotated[
    Form,
    Parameter(
        name="--form",
        help="gateway (ours and other Gateway clients), hfc (fabric-sdk-py), ccp (grpcs, PEM).",
    ),
]
OutputOption = Annotated[Path | None, Parameter(name="--output", help="A file instead.")]


@app.command
def profile(
    organization: str,
    *,
    form: FormOption = Form.GATEWAY,
    output: OutputOption = None,
    state: StateOption = DEFAULT_STATE,
) -> int:
    """Print an organisation's connection profile, its paths absolute: usable from anywhere."""
    from pedchain_network import files, profiles

    found = profiles.read(State(state.resolve()), organization, form.value)
    text = json.dumps(found, indent=1)
    if output is None:
        print(text)
    else:
        files.write(output, text.encode() + b"\n")
    return 0
