"""What an index keeps of a record as it came, and the hash that tells whether it came again unchanged."""

import hashlib
from typing import Any


def kept_string(value: Any) -> str | None:
    """Return a string that a file can hold, None for what is no string.

    >>> kept_string("a"), kept_string(7)
    ('a', None)
    """
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def content_hash(text: Any, title: str | None, source: str | None, url: str | None, published: int) -> bytes:
    """Return a hash of 16 bytes of all that makes an article another one under the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for value in (text if isinstance(text, str) else None, title, source, url, str(published)):
        data = b"" if value is None else value.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % (-1 if value is None else len(data)))
        digest.update(data)
    return digest.digest()
