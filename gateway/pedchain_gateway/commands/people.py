# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway token` and `ped-gateway audit-log`: tokens for trying, and what people did."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pedchain_gateway.commands.commandline import FAILED, MISUSED, fail, line

Names = Annotated[list[str] | None, Parameter(negative=())]
Roles = Annotated[list[Literal["auditor", "prosumer", "district"]], Parameter(negative=())]


def token(
    *, config: Path, role: Roles, subject: str = "me", district: Names = None, account: Names = None
) -> int:
    """Make a token of an hour for trying; only for a gateway on loopback without an issuer.

    Parameters
    ----------
    config
        The gateway's TOML file.
    role
        What the person may: auditor, prosumer, district; may be given again.
    subject
        Who it is.
    district
        A district it may see; may be given again.
    account
        An account that is its own; may be given again.
    """
    from pedchain_gateway.config import ConfigError, load
    from pedchain_gateway.people import trial

    try:
        loaded = load(config)
    except ConfigError as error:
        return fail(error, MISUSED)
    if not loaded.on_loopback or loaded.people is not None:
        return fail("tokens are made here only for a gateway on loopback without [people]")
    try:
        line(trial.token(loaded.state, subject, role, district or (), account or ()))
    except OSError as error:
        return fail(f"{loaded.state}: {error.strerror}")
    return 0


def audit_log(file: Path, /, *, after: int = 0, newest: str = "") -> int:
    """Look whether a gateway's audit log is as it was written; its newest hash.

    Parameters
    ----------
    file
        The newest file, `audit.log`; those put aside beside it are looked at first.
    after
        Lines that were moved away, where the oldest files were: the first that is here follows.
    newest
        The hash of the last of these, as it was told then.
    """
    from pedchain_gateway.people.auditlog import BEGIN, BrokenError, put_aside, verify

    count, last = after, newest or BEGIN
    try:
        for each in (*put_aside(file), file):
            with each.open("rb") as lines:
                count, last = verify(lines, count, last)
    except OSError as error:
        return fail(f"{file}: {error.strerror}", MISUSED)
    except BrokenError as error:
        return fail(error, FAILED)
    line(f"{count} lines hold; the newest hash is {last}")
    return 0


COMMANDS = (token, audit_log)
