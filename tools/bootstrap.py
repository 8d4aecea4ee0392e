# SPDX-License-Identifier: Apache-2.0
"""Makes .venv with the standard library, gets uv into it from the lock, installs everything.

Run by `make` with whatever Python it found; nothing but the standard library may be imported.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"
MEMBERS = ("fabric", "domain", "chaincode", "gateway", "emsagent", "network", "audit", "demo")


def main() -> int:
    """Installs unless the stamp says that this very lock and these pyprojects are installed."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the point of the check is an older Python
        return fail(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: "
            "make PYTHON=/path/to/python3.11"
        )
    digest = wanted()
    if STAMP.exists() and STAMP.read_text() == digest:
        return 0
    if not (VENV / "bin" / "python").exists() and not make_venv():
        return fail(
            "venv is missing from this Python: on Debian or Ubuntu, apt install python3-venv"
        )
    install()
    stubs = [str(VENV / "bin" / "python"), str(ROOT / "tools" / "stubs.py")]
    subprocess.run(stubs, check=True)
    STAMP.write_text(digest)
    return 0


def wanted() -> str:
    """Digest of everything that decides what is installed."""
    files = [LOCK, ROOT / "pyproject.toml", Path(__file__), ROOT / "tools" / "stubs.py"]
    files += [ROOT / member / "pyproject.toml" for member in MEMBERS]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def make_venv() -> bool:
    say("creating .venv")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)  # half of one would be taken for a whole next time
    return made.returncode == 0


def install() -> None:
    """Third-party packages with their hashes, then the members editable, then bytecode."""
    pip = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--no-deps",
    ]
    say("installing uv")
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "uv.txt"
        own.write_text(uv_lines())
        subprocess.run([*pip, "-r", str(own)], check=True)
    say("installing packages from requirements.lock")
    uv = [
        str(VENV / "bin" / "uv"),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(VENV / "bin" / "python"),
        "--compile-bytecode",
    ]
    subprocess.run([*uv, "--require-hashes", "-r", str(LOCK)], check=True)
    editable = [arg for member in MEMBERS for arg in ("-e", str(ROOT / member))]
    subprocess.run([*uv, "--no-deps", *editable], check=True)
    compiled = [str(ROOT / member) for member in MEMBERS]
    subprocess.run([str(VENV / "bin" / "python"), "-m", "compileall", "-q", *compiled], check=True)


def uv_lines() -> str:
    """The lock's own entry for uv, hashes included: uv is installed under the same rule."""
    lines = LOCK.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("uv=="))
    end = next(i for i in range(start, len(lines)) if not lines[i].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def fail(text: str) -> int:
    print(f"setup: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main())
