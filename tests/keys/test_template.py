"""Keys are written as text with fields, and what is wrong with them is said at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery.exceptions import CacheKeyError, CacheValueError
from cachery.keys.template import KeyTemplate

NAMES = ("user_id", "lang", "user", "width")


@dataclass
class User:
    id: int
    tags: dict[str, object]


ARGUMENTS = {"user_id": 42, "lang": "fr", "user": User(7, {"a": [1, 2], "._b": 3}), "width": 5}


@pytest.mark.parametrize(
    ("text", "key", "fields"),
    [
        ("", "", set()),
        ("users", "users", set()),
        ("user:{user_id}", "user:42", {"user_id"}),
        ("{lang}:{user_id}:{lang}", "fr:42:fr", {"lang", "user_id"}),
        ("{user.id}", "7", {"user"}),
        ("{user.tags[a][1]}", "2", {"user"}),
        ("{user.tags[._b]}", "3", {"user"}),
        ("{lang!r:>6}", "  'fr'", {"lang"}),
        ("{user_id:0{width}d}", "00042", {"user_id", "width"}),
        ("{{{lang}}}", "{fr}", {"lang"}),
        ("клавиша \ud83d {lang}", "клавиша \ud83d fr", {"lang"}),
    ],
)
def test_a_template_is_filled(text: str, key: str, fields: set[str]) -> None:
    template = KeyTemplate(text, NAMES)
    assert (template.fill(ARGUMENTS), template.fields) == (key, frozenset(fields))


@given(st.text())
def test_text_without_a_field_is_the_key_itself(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert KeyTemplate(escaped, NAMES).fill({}) == text


@given(st.text(alphabet="{}[].:!_ruser0", max_size=12))
def test_what_is_accepted_is_filled_as_str_format_would(text: str) -> None:
    try:
        template = KeyTemplate(text, ["user"])
    except CacheValueError:
        return
    try:
        assert template.fill({"user": 1}) == text.format(user=1)
    except CacheKeyError:
        with pytest.raises((AttributeError, LookupError, TypeError, ValueError)):
            text.format(user=1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("user:{id}", r"no parameter 'id' \(there are: user_id, lang, user, width\)"),
        ("{user_id:{wide}}", "no parameter 'wide'"),
        ("user:{}", r"\{\} names no parameter: write its name \(there are: user_id, lang"),
        ("user:{0}", r"\{0\} names no parameter"),
        ("user:{.id}", "names no parameter"),
        ("user:{user_id", r"written twice: \{\{ or \}\}"),
        ("user:}", "written twice"),
        ("{user_id!x}", "only !s, !r and !a"),
        ("{user_id!}", "written twice"),
        ("{user.}", r"write \{name\}, \{name.attribute\} or \{name\[item\]\}"),
        ("{user[]}", "is no field"),
        ("{user[a}", "key="),
        ("{user]}", "is no field"),
        ("{user_id:{width:{width}}}", "nested too deeply"),
        ("{user.__class__}", "private"),
        ("{user.tags[a]._b}", "private"),
        ("{user_id:{user._id}}", "private"),
    ],
)
def test_a_wrong_template_is_refused_at_once(text: str, complaint: str) -> None:
    with pytest.raises(CacheValueError, match=complaint) as caught:
        KeyTemplate(text, NAMES)
    assert repr(text) in str(caught.value)


def test_a_function_without_parameters_has_no_fields() -> None:
    with pytest.raises(CacheValueError, match="there are: none"):
        KeyTemplate("{a}", ())


@pytest.mark.parametrize("text", [None, 7, b"user:{user_id}", ["user"]])
def test_what_is_no_text_is_no_template(text: Any) -> None:
    with pytest.raises(CacheValueError, match=r"key= is text such as 'user:\{user_id\}', not "):
        KeyTemplate(text, NAMES)


def test_a_subclass_of_text_is_taken_as_text() -> None:
    class Shouting(str):  # noqa: SLOT000
        def format_map(self, _: object) -> str:
            return "SHOUT"

    assert type(KeyTemplate(Shouting("{lang}"), NAMES).fill({"lang": Shouting("fr")})) is str


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{user.name}", AttributeError),
        ("{user.tags[b]}", KeyError),
        ("{user.tags[a][9]}", IndexError),
        ("{lang:d}", ValueError),
        ("{user:>9}", TypeError),
    ],
)
def test_what_cannot_be_filled_says_why(text: str, cause: type[Exception]) -> None:
    with pytest.raises(CacheKeyError, match=f"cannot be filled: {cause.__name__}: ") as caught:
        KeyTemplate(text, NAMES).fill(ARGUMENTS)
    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.context == {"key": text}
