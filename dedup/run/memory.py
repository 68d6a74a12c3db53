"""What a run will need of memory, what there is, and how to make it fit: arithmetic, no measuring."""

from collections.abc import Iterable
from pathlib import Path

FIXED_BYTES = 300 << 20
"""The interpreter, the compiled kernels, and the chunks of text under way."""

BYTES_PER_INPUT_BYTE = 0.9
"""Token hashes, signatures, ids, and what grouping adds, for each byte of JSON Lines.
`docs/running.md` has the measurements."""

BYTES_PER_SKETCH_BYTE = 1.35
"""The same for each byte of the sketches that were gathered."""

DISK_BYTES_PER_INPUT_BYTE = 0.8
"""Sketches on disk: about as much with English, whose letters have one byte, 0.6 with Arabic news."""

BESIDE_DISK_PER_INPUT_BYTE = 0.4
"""What stays in memory beside sketches on disk: ids and the buckets of grouping."""

UNPACKED_RATIOS = {".gz": 4.0, ".zst": 4.0, ".bz2": 5.5, ".xz": 6.0, ".parquet": 3.0}
"""Bytes of JSON Lines that a byte of such a file stands for, about. Arabic news at the tools' default
levels: gzip 3.6, zstd 3.8, bzip2 5.3, xz 5.9; Parquet with snappy 2.2, with zstd 3.4."""

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


def needed_with_sketches(num_sketch_bytes: int) -> int:
    """Return the memory that a run needs whose sketches, all in memory, have so many bytes, about."""
    return FIXED_BYTES + int(num_sketch_bytes * BYTES_PER_SKETCH_BYTE)


def disk_bytes(num_input_bytes: int) -> int:
    """Return the bytes that sketches of so many bytes of JSON Lines take on a disk, about."""
    return int(num_input_bytes * DISK_BYTES_PER_INPUT_BYTE)


def needed_beside_disk(num_input_bytes: int) -> int:
    """Return the memory that a run needs whose sketches are on a disk, about."""
    return FIXED_BYTES + int(num_input_bytes * BESIDE_DISK_PER_INPUT_BYTE)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be had: the least of the machine, its control groups and its data limit.

    None where neither can be read (no Linux). `root` is where `proc` and `sys` are.
    """
    bounds = [_machine_available(root), *_group_available(root), _limit_left(root)]
    known = [bound for bound in bounds if bound is not None]
    return min(known) if known else None


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


def _limit_left(root: Path) -> int | None:
    """Return what is left of the limit on the process's data (`ulimit -d`), None where there is none."""
    try:
        limits = (root / "proc/self/limits").read_text().splitlines()
        status = (root / "proc/self/status").read_text().splitlines()
    except OSError:
        return None
    limit = next((line.split()[3] for line in limits if line.startswith("Max data size")), "unlimited")
    used = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")), 0)
    return None if limit == "unlimited" else max(0, int(limit) - used)


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
