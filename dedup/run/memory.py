"""What a run will need of memory, what there is, and how to make it fit: arithmetic, no measuring."""

from collections.abc import Iterable
from pathlib import Path

FIXED_BYTES = 300 << 20
"""The interpreter, the compiled kernels, and the chunks of text under way."""

BYTES_PER_INPUT_BYTE = 1.5
"""Token hashes, signatures, ids, and what grouping adds, for each byte of JSON Lines: 1.1 measured with
Arabic news, whose letters have two bytes, 1.6 with English. `docs/running.md` has the measurements."""

UNPACKED_RATIOS = {".gz": 4.0, ".zst": 4.0, ".bz2": 5.5, ".xz": 6.0, ".parquet": 3.0}
"""Bytes of JSON Lines that a byte of such a file stands for, about. Arabic news at the tools' default
levels: gzip 3.6, zstd 3.8, bzip2 5.3, xz 5.9; Parquet with snappy 2.2, with zstd 3.4."""

_GIB = 1 << 30
_UNLIMITED = 1 << 60  # cgroup v1 says "no limit" with the largest multiple of the page size


def unpacked_bytes(sizes: Iterable[tuple[str, int]]) -> int:
    """Return the bytes of JSON Lines that files of these names and sizes stand for, about.

    >>> unpacked_bytes([("a.jsonl", 100), ("b.jsonl.GZ", 100)])
    500
    """
    return sum(int(size * UNPACKED_RATIOS.get(Path(name).suffix.lower(), 1.0)) for name, size in sizes)


def needed_bytes(num_input_bytes: int) -> int:
    """Return the memory that a run over so many bytes of JSON Lines needs at its peak, about."""
    return FIXED_BYTES + int(num_input_bytes * BYTES_PER_INPUT_BYTE)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be had: of the machine, or of the control group if that is less.

    None where neither can be read (no Linux). `root` is where `proc` and `sys` are.
    """
    bounds = [_machine_available(root), *_group_available(root)]
    known = [bound for bound in bounds if bound is not None]
    return min(known) if known else None


def shortage(num_input_bytes: int, available: int | None) -> str | None:
    """Return a warning if a run over so many bytes of JSON Lines will not fit, None if it will.

    >>> shortage(10 << 30, available=4 << 30).partition(":")[0]
    'this run needs about 15.3 GiB of memory and 4.0 GiB are available'
    """
    needed = needed_bytes(num_input_bytes)
    if available is None or needed <= available:
        return None
    return (
        f"this run needs about {needed / _GIB:.1f} GiB of memory and {available / _GIB:.1f} GiB are "
        "available: it may be killed. To make it fit: group fewer days at a time, give it a machine with "
        "more memory, or raise the memory limit of its container or service"
    )


def _machine_available(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _group_available(root: Path) -> list[int]:
    """Return what is left in each control group that this process is in and that has a limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        names = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if controllers
            else ("memory.max", "memory.current", "inactive_file")
        )
        # In a container the path can be that of the host; then the group's own files stand at the top.
        folder = top / path.lstrip("/")
        for group in (folder, *folder.parents):
            if not group.is_relative_to(top):
                break
            left = _left(group, *names)
            if left is not None:
                found.append(left)
    return found


def _left(group: Path, limit_name: str, usage_name: str, reclaimable_name: str) -> int | None:
    try:
        limit = int((group / limit_name).read_text())
        usage = int((group / usage_name).read_text())
        statistics = (group / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):  # no such group, or "max"
        return None
    if limit >= _UNLIMITED:
        return None
    reclaimable = sum(int(line.split()[1]) for line in statistics if line.split()[0] == reclaimable_name)
    return max(0, limit - max(0, usage - reclaimable))
