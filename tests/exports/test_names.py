import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.exports.names import file_names

DEVICES = {"con", "nul", "com1"}
TRACKS = st.lists(
    st.one_of(st.text(max_size=300), st.sampled_from(["a/b", "a:b", "A:B", "CON", ".."])), max_size=20
)


@pytest.mark.parametrize(
    "name",
    ["blues.00000", "R&B", "演歌", "Ñu metal", "📻 lo-fi", "a b", "naïve", "नमस्ते\u200dक", "$HOME", "it's"],
)
def test_an_ordinary_name_of_any_script_stays_as_it_is(name):
    assert file_names([name]) == {name: name}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("hip/hop", "hip_hop"),
        ("a\\b:c*d?e", "a_b_c_d_e"),
        ("a\nb\x00", "a_b_"),
        ("..", "__"),
        (".hidden", "_hidden"),
        ("-rf", "_rf"),
        ("ends.", "ends_"),
        ("", "_"),
        ("CON", "_CON"),
        ("nul.live", "_nul.live"),
        ("caf\udce9", "caf_"),
        (unicodedata.normalize("NFD", "é"), unicodedata.normalize("NFC", "é")),
    ],
)
def test_what_a_file_system_refuses_is_replaced(name, safe):
    assert file_names([name]) == {name: safe}


def test_names_that_would_be_equal_are_told_apart():
    found = file_names(["a/b", "a:b", "A?B", "c"])
    assert found["c"] == "c"
    assert all(name.lower().startswith("a_b-") for name in list(found.values())[:3])


@given(TRACKS)
def test_names_are_safe_and_different_even_without_case(names):
    found = file_names(names)
    assert set(found) == set(names)
    assert len({name.casefold() for name in found.values()}) == len(found)
    for name in found.values():
        assert 0 < len(name.encode()) <= 200
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name[0] not in ".-" and name[-1] not in ". "
        assert name.split(".")[0].lower() not in DEVICES
