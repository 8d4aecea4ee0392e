# SPDX-License-Identifier: Apache-2.0
"""Which metrics an expression of Prometheus reads: enough of its grammar for our own rules."""

import re

_TEXTS = re.compile(r'"[^"]*"')
_OTHERS = re.compile(r"\{[^}]*\}|\[[^]]*\]|\b[a-z_]+(?: by \([^)]*\))?\s*\(")
_WORDS = {"and", "or", "unless"}


def metrics(expression: str) -> set[str]:
    """The names of the metrics: what is no text, label, span, function or operator."""
    bare = _OTHERS.sub(" ", _TEXTS.sub(" ", expression))
    return set(re.findall(r"[a-zA-Z_]\w*", bare)) - _WORDS
