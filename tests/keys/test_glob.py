"""One dialect of patterns."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from cachery.keys.glob import escape_glob, glob_matcher

TEXT = st.text(alphabet="ab*?[]!^-\\\n:", max_size=8)


@given(TEXT, TEXT)
def test_a_pattern_matches_as_fnmatchcase_does(pattern: str, key: str) -> None:
    assert bool(glob_matcher(pattern)(key)) is fnmatchcase(key, pattern)


@given(TEXT, TEXT)
def test_an_escaped_text_matches_itself_alone(text: str, other: str) -> None:
    matches = glob_matcher(escape_glob(text))
    assert matches(text)
    assert bool(matches(other)) is (text == other)
