# SPDX-License-Identifier: Apache-2.0
"""Do organisations run the same contract in the same environment.

Each peer is asked for its own contract's metadata: `environment` in it has a digest of the code,
of a self-test's results, and the versions of what signatures are checked with. No ledger fact
proves which code an organisation runs: this finds mistakes, not lies.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pedchain_network.watch.doctor.finding import Finding, Severity, ok

CHECK = "code"

_DECISIVE = {"code": "code digest", "self_test": "self-test digest"}
_VERSIONS = {"python": "Python", "cryptography": "cryptography", "openssl": "OpenSSL"}
_REMEDY = "give all the same build: ped-network chaincode upgrade, or down and up"


def environment(metadata: bytes) -> dict[str, str] | None:
    """What a contract tells of how it was built; None if it does not tell."""
    try:
        found: Any = json.loads(metadata)["environment"]
        return {
            name: found[name] if isinstance(found[name], str) else json.dumps(found[name])
            for name in (*_DECISIVE, *_VERSIONS)
        }
    except (ValueError, KeyError, TypeError):
        return None


def judge(answers: Mapping[str, Mapping[str, Mapping[str, str] | None]]) -> list[Finding]:
    """By definition and peer: all environments are equal. `answers` holds None for no answer."""
    findings = _silent(answers)
    for name, told in answers.items():
        known = {peer: each for peer, each in told.items() if each is not None}
        for field, word in (_DECISIVE | _VERSIONS).items():
            severity = Severity.FAIL if field in _DECISIVE else Severity.WARN
            findings += _odd(
                name, word, {peer: one[field] for peer, one in known.items()}, severity
            )
    peers = {peer for told in answers.values() for peer in told}
    what = f"{len(answers)} definitions run the same code and libraries on {len(peers)} peers"
    return findings or [ok(CHECK, what)]


def _silent(answers: Mapping[str, Mapping[str, Mapping[str, str] | None]]) -> list[Finding]:
    """Peers whose contracts do not tell how they were built, each once."""
    lacking: dict[str, list[str]] = {}
    for name, told in answers.items():
        for peer, each in told.items():
            if each is None:
                lacking.setdefault(peer, []).append(name)
    return [
        Finding(
            CHECK,
            Severity.WARN,
            peer,
            f"does not tell how {', '.join(names)} was built",
            "if status says that it answers: a build of ours tells; else see the findings above",
        )
        for peer, names in sorted(lacking.items())
    ]


def _odd(name: str, word: str, values: Mapping[str, str], severity: Severity) -> list[Finding]:
    """Those with another value than most."""
    if len(set(values.values())) < 2:
        return []
    usual = Counter(values.values()).most_common(1)[0][0]
    return [
        Finding(
            CHECK,
            severity,
            peer,
            f"{name}: {word} {_short(value)}, others have {_short(usual)}",
            _REMEDY,
        )
        for peer, value in sorted(values.items())
        if value != usual
    ]


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:16]}..."
