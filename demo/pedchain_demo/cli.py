# SPDX-License-Identifier: Apache-2.0
"""`ped-demo`: the main job end to end. Exit 0 only if the ledger verified and the copy did not."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators

from pedchain_demo import stages
from pedchain_demo.errors import DemoError
from pedchain_demo.page import page
from pedchain_demo.progress import Progress
from pedchain_demo.summary import lines

app = App(name="ped-demo", help="The main job, end to end.")
ABOUT = {
    "embedded": "embedded: our own Fabric peer and orderer in Python, for trying. "
    "The same on real Fabric: make demo RUNTIME=native",
    "docker": "docker: Hyperledger Fabric's own images, and ours, in containers",
    "native": "native: Hyperledger Fabric's own peer and orderer as processes",
}


@app.default
def demo(
    *,
    runtime: Literal["auto", "docker", "native", "embedded"] = "auto",
    days: Annotated[int, Parameter(validator=validators.Number(gte=2, lte=365))] = 14,
    folder: Path = Path(".pedchain/demo"),
) -> int:
    """Two districts, real and generated homes, one forged record, one audit.

    Parameters
    ----------
    runtime
        Where the network runs.
    days
        How many days are certified, ending last midnight UTC.
    folder
        Where everything is kept; what an earlier demo left there is removed.
    """
    progress = Progress()
    made = stages.Demo(runtime, days, folder.resolve(), progress)
    try:
        verified = play(made)
    except DemoError as error:
        print(f"ped-demo: {error}", file=sys.stderr)
        return 1
    print(f" demo finished in {progress.elapsed_s:.0f} s")
    return 0 if verified else 1


def play(made: stages.Demo) -> bool:
    """All stages in order; True if both audits ended as they should."""
    with stages.network(made):
        with stages.gateways(made):
            stages.make_street(made)
            stages.register(made)
            stages.live(made)
            certificates = stages.certificates(made)
        audit, tampered = stages.audits(made)
        profile = json.loads(made.profile("DSO").read_text())
    text = list(lines(profile, made.street, certificates, made.reports, audit, tampered))
    text += ["", f" Runtime   {ABOUT[profile['runtime']]}"]
    here = Path.cwd()
    shown = made.folder.relative_to(here) if made.folder.is_relative_to(here) else made.folder
    text += [f" Results   {shown}/: report.html (plots), certificates/, ledger/"]
    text += [" Next      make network-up"]
    print("\n".join(text))
    (made.folder / "report.html").write_text(page("\n".join(text), certificates))
    return bool(audit["verified"] and not tampered["verified"])


def main() -> None:
    """Entry point of the command."""
    sys.exit(app(result_action="return_value"))
