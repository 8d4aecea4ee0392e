# SPDX-License-Identifier: Apache-2.0
"""Documents this contract wrote itself: canonical bytes out, and back without suspicion.

What comes from outside goes through domain.canonical, which judges every byte. What stands on the
ledger was written by this module in a transaction the policy endorsed; reading it as strictly again
would take a third of a step's time.
"""

import json
from typing import Any

Document = dict[str, Any]
"""A ledger document; `Any` because its schema, not its Python type, says what stands in it."""


def store(value: object) -> bytes:
    """Canonical bytes, as domain.canonical.encode gives for a document of ours."""
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode()


def restore(data: bytes) -> Any:
    """The document that `store` wrote."""
    return json.loads(data)
