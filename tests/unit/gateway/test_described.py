# SPDX-License-Identifier: Apache-2.0
"""The service against its own description: whatever is asked, no server error."""

from pathlib import Path

import pytest

from tests.unit.gateway.described import ask_all, described


@pytest.mark.fault(47)
def test_no_example_of_the_description_makes_a_server_error(tmp_path: Path) -> None:
    """A few examples an operation; tests/soak asks a thousand."""
    with described(tmp_path) as (schema, headers):
        assert ask_all(schema, headers, 2) > 25
