"""The compile cache never stands in the way: where it goes when folders cannot be written.

Each case runs a copy of the package in processes of its own. The tests may run as root, whom no
permission stops: a folder is made unusable by a file in its place.
"""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dedup

SCRIPT = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np
    from dedup.sketch.kernels import premix
    hashes = np.array([0, 1, 0xFFFFFFFF], dtype=np.uint32)
    premix(hashes, 3)
ours = [str(w.message) for w in caught if issubclass(w.category, RuntimeWarning)]
print(json.dumps({
    "mixed": hashes.tolist(), "warnings": ours,
    "hits": sum(premix.stats.cache_hits.values()), "misses": sum(premix.stats.cache_misses.values()),
}))
"""
MIXED = [0, 0x514E28B7, 0x81F16F39]


class Place:
    """A copy of the package, and an environment in which nothing else can be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "site" / "dedup"
        source = Path(dedup.__file__).parent
        shutil.copytree(source, self.package, ignore=shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc"))
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.blocked = folder / "blocked"
        self.blocked.write_text("a file, where a folder would have to be")
        unwanted = {"HOME", "NUMBA_CACHE_DIR", "DEDUP_BOUNDS_CHECKS", "PYTHONDONTWRITEBYTECODE"}
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.environment = {
            **kept,
            "PYTHONPATH": str(folder / "site"),
            "XDG_CACHE_HOME": str(self.blocked),
            "TMPDIR": str(self.temporary),
            # Beside its locators numba looks for settings in the working folder, so that is ours too.
        }

    def make_read_only(self) -> None:
        for room in [self.package, *(path for path in self.package.iterdir() if path.is_dir())]:
            (room / "__pycache__").write_text("a file, where the cache would be")

    @property
    def private(self) -> Path:
        return self.temporary / f"article-dedup-kernels-{os.getuid()}"

    def start(self, script: str = SCRIPT, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", script],
            env={**self.environment, **environment},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **environment: str) -> dict[str, Any]:
        return finish(self.start(**environment))

    def cached(self, folder: Path) -> list[Path]:
        return sorted(folder.rglob("*premix*.nb?")) if folder.is_dir() else []


def finish(process: "subprocess.Popen[str]") -> dict[str, Any]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors[-2000:]
    result: dict[str, Any] = json.loads(output)
    assert result.pop("mixed") == MIXED
    return result


def change_kernels(place: Place) -> None:
    with (place.package / "text" / "kernels.py").open("a", encoding="utf-8") as file:
        file.write("# another version\n")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_kernels_are_kept_beside_their_source_and_compiled_once(place: Place) -> None:
    assert place.run() == {"warnings": [], "hits": 0, "misses": 1}
    assert place.cached(place.package / "sketch" / "__pycache__")
    assert not place.private.exists()
    assert place.run() == {"warnings": [], "hits": 1, "misses": 0}


def test_kernels_in_the_cache_are_loaded_without_what_compiling_needs(place: Place) -> None:
    compiling = SCRIPT + "\nimport sys\nassert 'numba.np.arraymath' in sys.modules"
    loading = SCRIPT + "\nimport sys\nassert 'numba.np.arraymath' not in sys.modules"
    assert finish(place.start(compiling))["misses"] == 1
    assert finish(place.start(loading))["hits"] == 1


def test_loading_a_kernel_imports_nothing_of_what_is_inlined_in_it(place: Place) -> None:
    compiling = SCRIPT + "\nimport sys\nassert 'numba.np.arrayobj' in sys.modules"
    loading = SCRIPT + "\nimport sys\nassert 'numba.np.arrayobj' not in sys.modules"
    assert finish(place.start(compiling))["misses"] == 1
    assert finish(place.start(loading))["hits"] == 1


ALLOCATING = """
import numpy as np
from dedup.compiling import kernel


@kernel
def halves(values):
    if len(values) == 0:
        raise ValueError("no values")
    out = np.empty(len(values) // 2, dtype=np.int64)
    for k in range(len(out)):
        out[k] = values[2 * k] + values[2 * k + 1]
    return out


@kernel
def quarters(values):
    return halves(halves(values))
"""

CALLING = """
import sys
import numpy as np
from dedup.allocating import halves, quarters
functions = {"halves": halves, "quarters": quarters}
for name in sys.argv[1:]:
    print(functions[name](np.arange(8)).tolist(), sum(functions[name].stats.cache_hits.values()))
try:
    halves(np.arange(0))
except ValueError as error:
    print(error)
"""


def test_loaded_kernels_allocate_raise_and_are_called_by_kernels_compiled_later(place: Place) -> None:
    (place.package / "allocating.py").write_text(ALLOCATING)

    def run(*names: str) -> list[str]:
        answer = subprocess.run(
            [sys.executable, "-c", CALLING, *names],
            env=place.environment, cwd=place.folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return answer.stdout.splitlines()

    assert run("halves") == ["[1, 5, 9, 13] 0", "no values"]
    assert run("halves") == ["[1, 5, 9, 13] 1", "no values"]
    assert run("halves", "quarters") == ["[1, 5, 9, 13] 1", "[6, 22] 0", "no values"]
    assert run("quarters", "halves") == ["[6, 22] 1", "[1, 5, 9, 13] 1", "no values"]


def test_change_in_any_kernel_file_compiles_all_kernels_anew(place: Place) -> None:
    place.run()
    change_kernels(place)
    assert place.run() == {"warnings": [], "hits": 0, "misses": 1}


def test_read_only_install_keeps_kernels_in_the_users_cache_folder(place: Place) -> None:
    place.make_read_only()
    home = place.folder / "home"
    home.mkdir()
    environment = {"XDG_CACHE_HOME": str(home / "cache"), "HOME": str(home)}
    assert place.run(**environment) == {"warnings": [], "hits": 0, "misses": 1}
    assert place.cached(home)
    assert not place.private.exists()
    assert place.run(**environment)["hits"] == 1


def test_folder_that_the_user_names_comes_first(place: Place) -> None:
    named = place.folder / "named"
    assert place.run(NUMBA_CACHE_DIR=str(named)) == {"warnings": [], "hits": 0, "misses": 1}
    assert place.cached(named)
    assert not place.cached(place.package)


def test_without_a_home_kernels_go_to_a_private_temporary_folder(place: Place) -> None:
    place.make_read_only()
    assert place.run() == {"warnings": [], "hits": 0, "misses": 1}
    assert place.cached(place.private)
    assert place.private.stat().st_mode & 0o777 == 0o700
    assert place.run() == {"warnings": [], "hits": 1, "misses": 0}


def test_with_no_folder_at_all_kernels_work_and_one_warning_says_so(place: Place) -> None:
    place.make_read_only()
    place.private.write_text("a file, where the folder would be")
    result = place.run()
    assert (result["hits"], len(result["warnings"])) == (0, 1)
    assert "NUMBA_CACHE_DIR" in result["warnings"][0]
    assert "compiled kernels cannot be kept" in result["warnings"][0]


def test_named_folder_that_cannot_be_written_falls_back(place: Place) -> None:
    assert place.run(NUMBA_CACHE_DIR=str(place.blocked / "in"))["warnings"] == []
    assert place.cached(place.package)


@pytest.mark.parametrize("kind", ["open to all", "link", "another owner"])
def test_temporary_folder_that_is_not_private_is_refused(place: Place, kind: str) -> None:
    place.make_read_only()
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if kind == "link":
        place.private.symlink_to(elsewhere)
    else:
        place.private.mkdir(mode=0o700)
    if kind == "open to all":
        place.private.chmod(0o777)
    if kind == "another owner":
        if os.getuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(place.private, 65534, 65534)
    assert len(place.run()["warnings"]) == 1
    assert not place.cached(place.private)
    assert not place.cached(elsewhere)


@pytest.mark.parametrize("read_only", [False, True], ids=["in the tree", "in the private folder"])
def test_first_processes_at_once_all_work_and_leave_one_good_cache(place: Place, read_only: bool) -> None:
    if read_only:
        place.make_read_only()
    processes = [place.start() for _ in range(3)]
    for process in processes:
        assert finish(process)["warnings"] == []
    assert place.run() == {"warnings": [], "hits": 1, "misses": 0}


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("content", ["empty", "half", "noise"])
def test_torn_cache_file_is_no_error(place: Place, suffix: str, content: str) -> None:
    place.run()
    (file,) = [path for path in place.cached(place.package) if path.suffix == suffix]
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "half": data[: len(data) // 2], "noise": b"\x00noise" * 200}[content])
    place.run()


def test_cache_that_names_a_class_of_an_earlier_version_is_written_anew(place: Place) -> None:
    place.run()
    (file,) = [path for path in place.cached(place.package) if path.suffix == ".nbi"]
    with file.open("rb") as index:
        pickle.load(index)
        head = file.read_bytes()[: index.tell()]
    file.write_bytes(head + b"cdedup.compiling\nVanished\n.")
    change_kernels(place)
    assert place.run() == {"warnings": [], "hits": 0, "misses": 1}
    assert place.run() == {"warnings": [], "hits": 1, "misses": 0}


def test_bounds_checked_kernels_are_never_kept(place: Place) -> None:
    assert place.run(DEDUP_BOUNDS_CHECKS="1")["hits"] == 0
    assert not place.cached(place.folder)
