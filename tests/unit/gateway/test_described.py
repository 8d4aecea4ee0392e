# SPDX-License-Identifier: Apache-2.0
"""The service against its own description: whatever is asked, no server error."""

from pathlib import Path

import pytest
from schemathesis.core.failures import FailureGroup

from pedchain_gateway.people.access import TABLE, Who
from tests.unit.gateway.described import ask_all, described


@pytest.mark.fault(47)
def test_no_example_of_the_description_makes_a_server_error(tmp_path: Path) -> None:
    """A few examples an operation; tests/soak asks a thousand."""
    with described(tmp_path) as schema:
        assert ask_all(schema, 2) > 25


def test_a_route_that_asks_for_no_token_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check `ignored_auth` leaves the token out and brings a wrong one."""
    with described(tmp_path) as schema:
        monkeypatch.setitem(TABLE, ("GET", "/v1/blocks"), Who.ANYONE)
        with pytest.raises(FailureGroup, match="auth"):
            ask_all(schema, 2)
