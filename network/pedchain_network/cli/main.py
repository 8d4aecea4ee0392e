# SPDX-License-Identifier: Apache-2.0
"""ped-network: bring the consortium's network up, look at it, change it, take it down.

Exit codes: 0 done or healthy, 1 failed, 2 usage, 3 the network is down, 4 something is wrong.
"""

import contextlib
import gc
import json
import os
import sys
from typing import NoReturn

from pedchain_fabric.errors import FabricError

# Each module puts its commands on the app; what they need is imported when they run.
from pedchain_network.cli import (  # noqa: F401
    certificate,
    chaincode,
    channel,
    composing,
    keeping,
    looking,
    network,
    node,
    organization,
    profile,
    signing,
)
from pedchain_network.cli.app import app
from pedchain_network.errors import NetworkError, of_system


def main() -> NoReturn:
    """The console script."""
    # What commands load lives as long as they do: looking for garbage in it is a tenth of `up`.
    gc.set_threshold(50_000)
    code = run()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # whoever read has gone
            stream.flush()
    # Nothing is left to be done, and taking apart all that was loaded takes a tenth of a second.
    os._exit(code)


def run() -> int:
    """Run the command of `sys.argv`; its exit code, and what went wrong on standard error."""
    try:
        return app(result_action="return_value") or 0
    except NetworkError as error:
        _say(error)
    except FabricError as error:
        _say(f"{error}\n  fix: look at ped-network status")
    except BrokenPipeError:  # whoever read has gone: as a program that SIGPIPE ends
        return 141
    except OSError as error:
        _say(of_system(error))
    except KeyboardInterrupt:
        _say("interrupted; what was started still runs")
        return 130
    return 1


def _say(text: object) -> None:
    line = f"ped-network: {text}"
    if "--json" in sys.argv[1:]:
        what, _, fix = str(text).partition("\n  fix: ")
        line = json.dumps({"error": what, "fix": fix})
    print(line, file=sys.stderr)
