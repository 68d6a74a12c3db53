"""What an index keeps of a record as it came, and the hash that tells whether it came again unchanged."""

import hashlib
from collections.abc import Sequence
from typing import Any, overload


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


class ContentHashes(Sequence[bytes]):
    """The content hashes of articles, each made when it is first asked for: a new id needs none.

    Takes what `content_hash` takes, column by column.

    >>> hashes = ContentHashes(["one text", "another"], [None, "title"], [None] * 2, [None] * 2, [0, 0])
    >>> hashes[1] == content_hash("another", "title", None, None, 0), len(hashes[:1])
    (True, 1)
    """

    def __init__(self, *columns: Sequence[Any]) -> None:
        self._columns = columns
        self._made: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...

    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        if at not in self._made:
            self._made[at] = content_hash(*(column[at] for column in self._columns))
        return self._made[at]
