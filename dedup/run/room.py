"""The room of a run: what fits in memory stays there, else its sketches go to a disk, and it says so."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dedup.errors import OutputError
from dedup.run import memory


@dataclass(frozen=True)
class Room:
    """Memory that may be taken, None for as much as is asked for, and the folder for what does not fit.

    `starts_on_disk` says that sketches go there from the first on; else `is_short` tells when they must.
    `tell` hears of that.
    """

    memory_bytes: int | None = None
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    starts_on_disk: bool = False
    tell: Callable[[str], None] = lambda message: None

    def is_short(self, num_sketch_bytes: int) -> bool:
        """Return whether a run with so many bytes of sketches in memory would not fit."""
        needed = memory.needed_with_sketches(num_sketch_bytes)
        return self.memory_bytes is not None and needed > self.memory_bytes

    def tell_of_move(self, num_articles: int) -> None:
        """Say that the sketches of the first articles were moved to the disk, where the others follow."""
        self.tell(
            f"this run needs more than the {_shown(self.memory_bytes)} of memory that are available: after "
            f"{num_articles:,} articles it keeps sketches on disk in {self.folder}"
        )


def plan_room(
    num_input_bytes: int, memory_bytes: int | None, folder: Path, tell: Callable[[str], None]
) -> Room:
    """Return the room of a run over so many bytes of JSON Lines, and say what will not fit.

    Raises `OutputError` where sketches do not fit in memory, and not on the disk of `folder` either.
    """
    needed = memory.needed_bytes(num_input_bytes)
    if memory_bytes is None or needed <= memory_bytes:
        return Room(memory_bytes, folder, starts_on_disk=False, tell=tell)
    on_disk, beside = memory.disk_bytes(num_input_bytes), memory.needed_beside_disk(num_input_bytes)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(f"{folder} cannot be used: {os.strerror(error.errno or 0)}") from error
    needs = f"this run needs about {_shown(needed)} of memory and {_shown(memory_bytes)} are available"
    if on_disk > free:
        raise OutputError(
            f"{needs}; it would keep sketches on disk, about {_shown(on_disk)}, and {folder} has "
            f"{_shown(free)} left: name a folder with more room (--scratch), or group fewer days at a time"
        )
    message = f"{needs}: it keeps sketches on disk in {folder}, about {_shown(on_disk)}"
    if beside > memory_bytes:
        message += (
            f"; what stays in memory is about {_shown(beside)}: it may be killed. To make it fit: group "
            "fewer days at a time, give it a machine with more memory, or raise the memory limit of its "
            "container or service"
        )
    tell(message)
    return Room(memory_bytes, folder, starts_on_disk=True, tell=tell)


def _shown(num_bytes: int | None) -> str:
    mebibytes = (num_bytes or 0) / (1 << 20)
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.0f} MiB"
