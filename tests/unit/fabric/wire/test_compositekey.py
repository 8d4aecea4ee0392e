# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.compositekey import create, prefix_range, split

PART = st.text(
    st.characters(exclude_characters="\x00\U0010ffff", exclude_categories=["Cs"]), max_size=8
)


def test_a_key_is_laid_out_as_fabrics():
    assert create("site", ["A", "1"]) == "\x00site\x00A\x001\x00"


@given(PART, st.lists(PART, max_size=4))
def test_what_was_put_together_is_split_again(object_type, attributes):
    assert split(create(object_type, attributes)) == (object_type, tuple(attributes))


@given(PART, st.lists(PART, max_size=3), st.lists(PART, max_size=3))
def test_a_prefix_range_holds_all_keys_below_it(object_type, prefix, rest):
    start, end = prefix_range(object_type, prefix)
    assert start <= create(object_type, prefix + rest) < end


@given(PART, st.lists(PART, max_size=3), PART, st.lists(PART, max_size=3))
def test_different_parts_give_different_keys(one, first, other, second):
    assert (create(one, first) == create(other, second)) == ((one, first) == (other, second))


@pytest.mark.parametrize("bad", ["a\x00b", "\U0010ffff", "\ud800"])
def test_parts_that_would_break_the_layout_are_refused(bad):
    with pytest.raises(WireError):
        create("type", [bad])
    with pytest.raises(WireError):
        create(bad, [])


@pytest.mark.parametrize("bad", ["", "\x00", "plain", "\x00open", "open\x00"])
def test_a_plain_key_is_not_split(bad):
    with pytest.raises(WireError):
        split(bad)
