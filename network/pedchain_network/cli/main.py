# SPDX-License-Identifier: Apache-2.0
"""ped-network: bring the consortium's network up, look at it, change it, take it down.

Exit codes: 0 done or healthy, 1 failed, 2 usage, 3 the network is down, 4 something is wrong.
"""

import sys

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


def main() -> None:
    """The console script."""
    try:
        code = app(result_action="return_value")
    except NetworkError as error:
        print(f"ped-network: {error}", file=sys.stderr)
        code = 1
    except FabricError as error:
        print(f"ped-network: {error}\n  fix: look at ped-network status", file=sys.stderr)
        code = 1
    except OSError as error:
        print(f"ped-network: {of_system(error)}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("ped-network: interrupted; what was started still runs", file=sys.stderr)
        code = 130
    sys.exit(code or 0)
