"""The four words of a fingerprint."""

import hashlib

from wizard.licensing.protocol.words import WORDS, fingerprint_words


def test_there_are_256_different_short_words() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 8 for word in WORDS)


def test_the_order_of_the_words_never_changes() -> None:
    """Instances in the field and the activation page must say the same words."""
    assert hashlib.sha256(" ".join(WORDS).encode()).hexdigest()[:16] == "7cdbc2ee481ff78b"


def test_another_key_has_other_words() -> None:
    assert fingerprint_words(bytes(32)) == fingerprint_words(bytes(32))
    assert fingerprint_words(bytes(32)) != fingerprint_words(b"\x01" + bytes(31))
