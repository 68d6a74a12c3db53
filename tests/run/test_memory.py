"""What a run needs of memory and what there is, from files of the system that the test writes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dedup.run import memory

GIB = 1 << 30
Group = Callable[..., None]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with 8 GiB to be had, and no control groups."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\n")
    return tmp_path


def put_group(folder: Path, version: int, limit: str, usage: int, reclaimable: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        ("memory.max", "memory.current")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    )
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    statistic = "inactive_file" if version == 2 else "total_inactive_file"
    (folder / "memory.stat").write_text(f"anon 5\n{statistic} {reclaimable}\nfile 7\n")


def test_memory_of_the_machine_where_there_are_no_groups(machine: Path) -> None:
    assert memory.available_bytes(machine) == 8 * GIB


def test_unknown_where_the_system_says_nothing(tmp_path: Path) -> None:
    assert memory.available_bytes(tmp_path) is None


def test_group_with_less_than_the_machine_bounds_it(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("0::/system.slice/dedup.service\n")
    put_group(machine / "sys/fs/cgroup/system.slice/dedup.service", 2, str(2 * GIB), GIB, GIB // 2)
    assert memory.available_bytes(machine) == 3 * GIB // 2  # what is cached can be had


def test_limit_of_a_group_above_counts_too(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("0::/a/b\n")
    put_group(machine / "sys/fs/cgroup/a", 2, str(GIB), 0)
    put_group(machine / "sys/fs/cgroup/a/b", 2, "max", 0)
    assert memory.available_bytes(machine) == GIB


def test_group_of_a_container_that_is_named_as_on_the_host(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("0::/docker/0123\n")
    put_group(machine / "sys/fs/cgroup", 2, str(GIB), 0)
    assert memory.available_bytes(machine) == GIB


def test_version_1_group_and_its_way_to_say_no_limit(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("9:cpu:/x\n4:memory:/x\n0::/\n")
    put_group(machine / "sys/fs/cgroup/memory/x", 1, "9223372036854771712", 5)
    assert memory.available_bytes(machine) == 8 * GIB
    put_group(machine / "sys/fs/cgroup/memory/x", 1, str(GIB), GIB // 4)
    assert memory.available_bytes(machine) == 3 * GIB // 4


def test_group_that_is_over_its_limit_has_nothing_left(machine: Path) -> None:
    (machine / "proc/self/cgroup").write_text("0::/\n")
    put_group(machine / "sys/fs/cgroup", 2, "10", 20)
    assert memory.available_bytes(machine) == 0


def test_limit_on_data_bounds_it_by_what_is_left_of_it(machine: Path) -> None:
    limits = "Limit  Soft Limit  Hard Limit  Units\nMax data size             {}  unlimited  bytes\n"
    (machine / "proc/self/status").write_text("Name:\tdedup\nVmData:\t  1024 kB\n")
    (machine / "proc/self/limits").write_text(limits.format("unlimited"))
    assert memory.available_bytes(machine) == 8 * GIB
    (machine / "proc/self/limits").write_text(limits.format(GIB))
    assert memory.available_bytes(machine) == GIB - (1 << 20)
    (machine / "proc/self/limits").write_text(limits.format(5))
    assert memory.available_bytes(machine) == 0


def test_need_grows_with_the_input_and_packed_input_counts_unpacked() -> None:
    assert memory.needed_bytes(0) == memory.FIXED_BYTES
    assert memory.needed_bytes(10 * GIB) == memory.FIXED_BYTES + 9 * GIB
    plain = memory.unpacked_bytes([("a.jsonl", 1000), ("standard input", 10)])
    packed = memory.unpacked_bytes([("a.jsonl.gz", 1000), ("a.parquet", 10)])
    assert (plain, packed) == (1010, 4030)


def test_this_machine_can_be_asked() -> None:
    available = memory.available_bytes()
    assert available is None or available >= 0
