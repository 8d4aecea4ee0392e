# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway yearly`: the signed folder that says what a district may print; made, checked,
revoked."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pedchain_gateway.commands.commandline import (
    FAILED,
    MISUSED,
    Profile,
    User,
    fail,
    line,
    on_ledger,
    read_key,
)

if TYPE_CHECKING:
    from pedchain_gateway.ledger.fabric import FabricLedger

app = App(name="yearly", help="The signed folder that says what a district may print.")
District = Annotated[str, Parameter(help="The district's id.")]
Out = Annotated[Path, Parameter(help="Where the districts' folders are kept and served from.")]
SigningKey = Annotated[Path, Parameter(help="The district's signing key, PEM (P-256).")]
Public = Annotated[str, Parameter(help="The district's public key (SPKI, hex): `yearly key`.")]


@app.command
def make(
    *, profile: Profile, district: District, out: Out, key: SigningKey, check: str,
    user: User = "gateway",
) -> int:  # fmt: skip
    """Write the newest certified day's folder, if there is none that is valid long enough. To be
    called every day.

    Parameters
    ----------
    check
        Where the public finds the district's gateway, such as https://district.example.
    """
    from pedchain_gateway.yearly import making

    signing = read_key(key)

    async def act(ledger: "FabricLedger") -> None:
        told = await making.make(ledger, district, out, signing, check, int(time.time()))
        line(json.dumps(told, sort_keys=True))

    return on_ledger(profile, user, act)


@app.command(name="check")
def check_folder(
    folder: Path, /, *, spki: Public, profile: Profile | None = None, user: User = "gateway"
) -> int:
    """Whether a folder is whole, signed, valid and not revoked; with a profile, whether the ledger
    still says the same. Leaves with 1 where something does not hold.

    Parameters
    ----------
    folder
        The folder, with the district's `revoked.json` beside it.
    """
    from pedchain_gateway.yearly import making, seal

    try:
        manifest, wrong = seal.check(folder, spki, time.time())
    except (OSError, ValueError) as error:
        return fail(error)
    code = 0
    if profile is not None and not wrong:

        async def act(ledger: "FabricLedger") -> None:
            wrong.extend(await making.against_ledger(ledger, folder, manifest))

        code = on_ledger(profile, user, act)
    for one in wrong:
        line(one)
    if not wrong and not code:
        line((folder / "sentence.txt").read_text().strip())
    return code or (FAILED if wrong else 0)


@app.command
def revoke(code: str, /, *, district: District, out: Out, key: SigningKey, reason: str) -> int:
    """Add a folder's code to the district's signed list of what no longer holds.

    Parameters
    ----------
    code
        The code, as `make` printed it.
    reason
        Why, in words.
    """
    from pedchain_domain.der import spki_hex
    from pedchain_gateway.yearly import seal

    signing = read_key(key)
    try:
        seal.revoke(out / district, district, code, reason, signing, spki_hex(signing.public_key()))
    except (OSError, ValueError) as error:
        return fail(error)
    line(f"{district} {code} revoked")
    return 0


@app.command(name="key")
def show_key(key: SigningKey, /, *, create: bool = False) -> int:
    """Print the public half of a signing key; make the key first, if asked and there is none."""
    from pedchain_domain.der import spki_hex
    from pedchain_gateway.importing import keys

    if create:
        try:
            keys.create(key)
        except FileExistsError:
            return fail(f"{key}: is there already", MISUSED)
    line(spki_hex(read_key(key).public_key()))
    return 0
