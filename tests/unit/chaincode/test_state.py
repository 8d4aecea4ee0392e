# SPDX-License-Identifier: Apache-2.0
"""The quick codec of our own documents writes the canonical bytes."""

from hypothesis import given
from hypothesis import strategies as st

from pedchain_chaincode.state import restore, store
from pedchain_domain import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_stored_bytes_are_the_canonical_ones_and_come_back(value: object) -> None:
    assert store(value) == canonical.encode(value)
    assert restore(store(value)) == value
