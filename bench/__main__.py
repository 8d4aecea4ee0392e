# SPDX-License-Identifier: Apache-2.0
"""Runs one measurement by its name and prints its figures as the last line."""

import importlib
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Modules of this folder that are no measurements.
SHARED = {
    "__init__",
    "__main__",
    "auction",
    "daycost",
    "devices",
    "homes",
    "networks",
    "printing",
    "processes",
    "street",
}


def main() -> int:
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in SHARED)
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        print(f"bench: NAME must be one of {', '.join(names)}", file=sys.stderr)
        return 2
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's programs are compiled once
    figures = importlib.import_module(f"bench.{sys.argv[1]}").measure()
    print(json.dumps(figures, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
