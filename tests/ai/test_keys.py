"""Keys of answers: one for each request, that shows no text and belongs to one scope."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery import CacheKeyError, CacheValueError
from cachery.ai import CacheKeyGenerator

TEXTS = st.text(alphabet=st.characters(), max_size=30) | st.sampled_from(["a|b", "a:b", "a_b", "", "hash:", "\ud800"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
OPTIONS = st.dictionaries(st.text(max_size=5), VALUES | st.lists(VALUES, max_size=3), max_size=4)
OPERATIONS = st.sampled_from(["qa", "qa_long", "q.a", "summarize"])
QUESTIONS = st.none() | st.text(max_size=10)
SCOPES = st.none() | st.text(min_size=1, max_size=10)
REQUESTS = st.tuples(TEXTS, OPERATIONS, OPTIONS, QUESTIONS, SCOPES)


def key_of(request: tuple[Any, ...], **settings: Any) -> str:
    text, operation, options, question, scope = request
    return CacheKeyGenerator(**settings).generate_cache_key(text, operation, options, question, scope=scope)


def typed(value: Any) -> Any:
    """Return ``value`` so that what is equal only across types differs: 1 and True, 1 and 1.0, 0.0 and -0.0."""
    if isinstance(value, dict):
        return {key: typed(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(typed, value)]
    return type(value).__name__, repr(value)


@given(REQUESTS, REQUESTS, st.booleans())
def test_two_requests_share_a_key_only_if_they_are_one(one: Any, other: Any, text_in_key: Any) -> None:
    is_same = key_of(one, text_in_key=text_in_key) == key_of(other, text_in_key=text_in_key)
    assert is_same == (typed(one) == typed(other))


@given(REQUESTS)
def test_the_order_of_options_is_no_matter(request_: Any) -> None:
    text, operation, options, question, scope = request_
    turned = dict(reversed(options.items()))
    assert key_of(request_) == key_of((text, operation, turned, question, scope))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 1}, {"n": "1"}),
        ({"n": 1}, {"n": True}),
        ({"n": 1}, {"n": 1.0}),
        ({"a": "1&b=2"}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 2, "y": 1}}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({1: "a"}, {"1": "a"}),
    ],
)
def test_options_that_differ_have_other_keys(one: Any, other: Any) -> None:
    assert key_of(("text", "qa", one, None, None)) != key_of(("text", "qa", other, None, None))


def test_nested_options_may_stand_in_any_order() -> None:
    one, other = {"a": {"x": 1, "y": [{"p": 1, "q": 2}]}}, {"a": {"y": [{"q": 2, "p": 1}], "x": 1}}
    assert key_of(("text", "qa", one, None, None)) == key_of(("text", "qa", other, None, None))


def test_the_parts_of_a_key() -> None:
    key = CacheKeyGenerator().generate_cache_key("text", "summarize", {"max": 1}, "why?")
    assert [part.partition(":")[0] for part in key.split("|")] == ["ai_cache", "txt", "opts", "q"]
    assert key.startswith("ai_cache:op:summarize|")
    assert all(len(part.partition(":")[2]) == 40 for part in key.split("|")[1:])


@pytest.mark.parametrize("text", ["a secret text", "another: one|with*signs", "x" * 5000])
def test_no_text_stands_in_a_key_unless_asked(text: str) -> None:
    key = CacheKeyGenerator().generate_cache_key(text, "qa", {"mode": "mode-of-mine"}, "question-of-mine", scope="ada")
    assert not any(word in key for word in ("secret", "signs", "xxx", "mode", "question-of", "ada"))


def test_a_short_text_stands_in_its_key_if_asked() -> None:
    generator = CacheKeyGenerator(text_hash_threshold=5, text_in_key=True)
    assert generator.generate_cache_key("a|*?[", "qa", None) == "ai_cache:op:qa|txt:raw=a%7C%2A%3F%5B"
    assert "raw" not in generator.generate_cache_key("123456", "qa", None)


def test_a_key_is_the_same_in_every_process() -> None:
    code = (
        "from cachery.ai import CacheKeyGenerator as G;"
        "print(G().generate_cache_key('text', 'qa', {'a': {1.5, 'x'}, 'b': [True]}, 'why?', scope='ada'), end='')"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found == CacheKeyGenerator().generate_cache_key(
        "text", "qa", {"b": [True], "a": {"x", 1.5}}, "why?", scope="ada"
    )


def test_keys_of_the_first_version_stay() -> None:
    generator = CacheKeyGenerator()
    assert generator.generate_cache_key("text", "qa", {"n": 1}, "why?", scope="public") == (
        "ai_cache:op:qa|scope:e8a31d39d2fa66c2109c58dcfe52bb5103283b56|txt:6b35adff2501cbc0f155a3cd15144e2b808686ff"
        "|opts:85c2f87bedf978ecd32b3504751422fc089c3bf9|q:4602345bff2b5666cbcdbf42c53bcb02fd387522"
    )


def test_a_secret_makes_keys_that_nobody_can_guess() -> None:
    request = ("text", "qa", {"n": 1}, "why?", "ada")
    keys = {key_of(request, secret=secret) for secret in (None, "one", b"two", "x" * 100, "x" * 101)}
    assert len(keys) == 5
    parts = [set(key.split("|")[1:]) for key in keys]
    assert not set.intersection(*parts)
    assert key_of(request, secret="one") == key_of(request, secret=b"one")


@pytest.mark.parametrize("algorithm", [hashlib.sha256, hashlib.sha512, hashlib.blake2s, hashlib.sha3_256])
@pytest.mark.parametrize("secret", [None, "a secret"])
def test_other_algorithms(algorithm: Any, secret: str | None) -> None:
    request = ("text", "qa", {"n": 1}, "why?", "ada")
    key = key_of(request, hash_algorithm=algorithm, secret=secret)
    assert key != key_of(request, secret=secret)
    assert all(len(part.partition(":")[2]) == 40 for part in key.split("|")[1:])


@pytest.mark.parametrize("algorithm", [hashlib.md5, hashlib.sha1, "sha256", len, object])
def test_an_algorithm_that_cannot_be_trusted_is_refused(algorithm: Any) -> None:
    with pytest.raises(CacheValueError, match=r"hash_algorithm|collisions"):
        CacheKeyGenerator(hash_algorithm=algorithm)


def test_a_text_of_any_length_is_read_piece_by_piece() -> None:
    text = "a" * 20_000_000
    generator = CacheKeyGenerator()
    tracemalloc.start()
    key = generator.generate_cache_key(text, "qa", None)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000
    assert key != generator.generate_cache_key(text[:-1] + "b", "qa", None)


@given(st.text(alphabet=st.sampled_from("aé漢😀"), min_size=1, max_size=40), st.integers(0, 3))
def test_long_texts_of_any_letters_are_one_text_however_they_are_cut(letters: str, shift: int) -> None:
    text = "x" * shift + letters * (140_000 // len(letters))
    key = CacheKeyGenerator(hash_algorithm=hashlib.sha256).generate_cache_key(text, "qa", None)
    whole = hashlib.sha256(b"cachery ai 1 text\0" + text.encode()).hexdigest()[:40]
    assert key == f"ai_cache:op:qa|txt:{whole}"


@pytest.mark.parametrize("text", [None, 1, b"text", ["text"]])
def test_only_text_is_text(text: Any) -> None:
    with pytest.raises(CacheValueError, match="text is a str"):
        CacheKeyGenerator().generate_cache_key(text, "qa", None)


@pytest.mark.parametrize("question", [1, b"text", ["text"]])
def test_only_text_is_a_question(question: Any) -> None:
    with pytest.raises(CacheValueError, match="question is a str"):
        CacheKeyGenerator().generate_cache_key("text", "qa", None, question)


@pytest.mark.parametrize("operation", ["", "a|b", "a:b", "qa*", "q?", "[qa]", "q a", "{qa}", "x" * 101, None, 1, "a\n"])
def test_an_operation_that_could_be_taken_for_something_else(operation: Any) -> None:
    with pytest.raises(CacheValueError, match="operation"):
        CacheKeyGenerator().generate_cache_key("text", operation, None)


def test_options_that_are_not_the_same_everywhere() -> None:
    with pytest.raises(CacheKeyError):
        CacheKeyGenerator().generate_cache_key("text", "qa", {"x": object()})
    with pytest.raises(CacheKeyError):
        CacheKeyGenerator().generate_cache_key("text", "qa", {"x": lambda: 1})
    with pytest.raises(CacheValueError, match="options"):
        CacheKeyGenerator().generate_cache_key("text", "qa", "max_length=1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings", [{"text_hash_threshold": -1}, {"text_hash_threshold": 1.5}, {"secret": ""}, {"secret": 5}]
)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(CacheValueError):
        CacheKeyGenerator(**settings)
