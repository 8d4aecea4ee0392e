# SPDX-License-Identifier: Apache-2.0
"""Checks on the tree as a whole: module sizes, licence lines, nothing of this machine committed."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 400
#: What may stand in no tracked file, with the reason.
FORBIDDEN = {
    "a path of the machine it was written on": r"(?<![\w.<])/(work|root)/[a-z]",
    "a registry host": r"(files\.python" r"hosted|registry\.npm" r"js)\.org",
    "a private key": r"-----BEGIN (EC |RSA )?PRIVATE" r" KEY-----",
}
#: Tests that also run under another Python, where only the members they test are installed.
STANDING_ALONE = ("tests/unit/domain/", "tests/unit/chaincode/")
STRANGERS = r"(?m)^\s*(?:from|import) (pedchain_(?:gateway|network|audit|demo)|emsagent)\b"
#: Keys that tests may hold: made for nothing else.
KEYS_ALLOWED = ("tests/golden/", "tests/vectors/")


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def faults_of(path: Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return []
    faults = []
    if path.suffix == ".py":
        if len(text.splitlines()) > LINES_MAX:
            faults.append(f"{name}: more than {LINES_MAX} lines; split it by responsibility")
        if not re.match(r"(#!.*\n)?# SPDX-License-Identifier: Apache-2\.0\n", text):
            faults.append(f"{name}: does not begin with the SPDX line")
    if name.startswith(STANDING_ALONE) and (found := re.search(STRANGERS, text)):
        faults.append(f"{name}: needs {found[1]}, which is not there under another Python")
    for what, pattern in FORBIDDEN.items():
        if "key" in what and name.startswith(KEYS_ALLOWED):
            continue
        if found := re.search(pattern, text):
            faults.append(f"{name}: holds {what}: {found[0]}")
    return faults


def main() -> int:
    faults = [fault for path in tracked() for fault in faults_of(path)]
    print("\n".join(faults) if faults else "tree: nothing found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
