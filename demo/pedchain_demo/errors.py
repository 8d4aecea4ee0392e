# SPDX-License-Identifier: Apache-2.0
"""The demo's one error: a command it drives did not do its part."""


class DemoError(Exception):
    """A stage failed; the text names the command and what it said last."""
