# SPDX-License-Identifier: Apache-2.0
"""The process that plans and ends: a problem on standard input, its plan on standard output."""

import json
import sys
from dataclasses import asdict

from emsagent.planner import linear, problem


def main() -> int:
    """0 with a plan, 1 without one."""
    asked = json.loads(sys.stdin.read())
    found = linear.plan(problem.from_json(asked["problem"]), asked["limit_s"])
    if found is None:
        return 1
    sys.stdout.write(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
