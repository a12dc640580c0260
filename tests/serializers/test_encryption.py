"""What is encrypted is read by those who have the secret, where it belongs, unchanged."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachery.exceptions import CacheValueError
from cachery.serializers.encryption import Encryption

OLD, NEW = "an old secret of ours", b"a new secret of ours"
ENCRYPTION = Encryption(OLD)


@given(st.binary(), st.binary())
def test_bytes_come_back_as_they_were(data: bytes, bound: bytes) -> None:
    assert ENCRYPTION.decrypt(ENCRYPTION.encrypt(data, bound), bound) == data


def test_a_message_has_36_bytes_more_and_never_looks_the_same_twice() -> None:
    messages = {ENCRYPTION.encrypt(b"tea", b"key") for _ in range(100)}
    assert len(messages) == 100
    assert {len(message) for message in messages} == {3 + 36}
    assert len({message[:8] for message in messages}) == 1


def test_what_was_written_once_is_read_for_ever() -> None:
    written = "760c9cf4c063540c3e886f2797928bb9d2dda70f01ff5c00a3de49d82ab01002cd7ad2fe3032bf"
    assert ENCRYPTION.decrypt(bytes.fromhex(written), b"key") == b"tea"


def test_the_newest_secret_encrypts_and_all_decrypt() -> None:
    both, new = Encryption([NEW, OLD]), Encryption(NEW)
    assert both.decrypt(ENCRYPTION.encrypt(b"tea", b""), b"") == b"tea"
    assert new.decrypt(both.encrypt(b"tea", b""), b"") == b"tea"
    with pytest.raises(ValueError, match="a key that is not among ours"):
        ENCRYPTION.decrypt(both.encrypt(b"tea", b""), b"")


def test_text_and_its_bytes_are_one_secret() -> None:
    assert Encryption(OLD.encode()).decrypt(ENCRYPTION.encrypt(b"tea", b""), b"") == b"tea"


def test_it_is_read_only_where_it_belongs() -> None:
    message = ENCRYPTION.encrypt(b"tea", b"key")
    for bound in (b"other", b"", b"key "):
        with pytest.raises(ValueError, match="was changed, or belongs elsewhere"):
            ENCRYPTION.decrypt(message, bound)


@given(st.data())
def test_a_changed_bit_is_found_wherever_it_is(data: st.DataObject) -> None:
    message = bytearray(ENCRYPTION.encrypt(b"a cup of tea", b"key"))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError, match="encrypted data"):
        ENCRYPTION.decrypt(bytes(message), b"key")


@given(st.integers(0, 38))
def test_what_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="encrypted data"):
        ENCRYPTION.decrypt(ENCRYPTION.encrypt(b"tea", b"key")[:size], b"key")


@given(st.binary(max_size=100))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    known = ENCRYPTION.encrypt(b"", b"")[:8]
    for attempt in (data, known + data):
        with pytest.raises(ValueError, match="encrypted data"):
            ENCRYPTION.decrypt(attempt, b"")


@pytest.mark.parametrize(
    "keys",
    ["", "fifteen letters", b"x" * 15, [], (), ["a secret of mine", "short"], None, 3, [3], bytearray(16), [[OLD]]],
)
def test_a_secret_has_sixteen_bytes_or_more(keys: object) -> None:
    with pytest.raises(CacheValueError, match="an encryption key is text or bytes"):
        Encryption(keys)  # type: ignore[arg-type]
    assert Encryption("é" * 8).encrypt(b"", b"")


def test_a_secret_is_shown_nowhere() -> None:
    both = Encryption([NEW, OLD])
    assert repr(both) == "<Encryption with 2 keys>"
    with pytest.raises(TypeError):
        pickle.dumps(both)
    with pytest.raises(CacheValueError) as caught:
        Encryption("too short: hush")
    assert "hush" not in str(caught.value)
