# SPDX-License-Identifier: Apache-2.0
"""The table of behaviours and the tests name the same rows."""

from tests.interop import table


def test_every_behaviour_has_a_test_and_every_mark_a_behaviour() -> None:
    assert table.marked() == set(table.rows())


def test_what_was_seen_is_of_rows_that_are_there() -> None:
    for runtime in table.evidence().values():
        assert set(runtime["rows"]) <= set(table.rows())


def test_the_page_tells_of_every_row() -> None:
    page = table.page()
    assert all(f"| {row['behaviour']} |" in page for row in table.rows().values())
