"""The layout holds: imports point down, the core does no input or output, only the command line prints."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text("utf-8"), str(path)) for path in SOURCES}

PLAIN = {"arguments", "articles", "settings", "errors", "compiling", "sorting"}
CORE = {"text", "sketch", "match"}
MIDDLE = {"index", "formats", "report"}
MAY_IMPORT = {
    "articles": {"errors"},
    "errors": set(),
    "arguments": {"errors"},
    "compiling": {"kernel_cache"},
    "kernel_cache": set(),
    "sorting": {"compiling"},
    "settings": {"arguments", "errors", "sketch.bands"},
    "text": PLAIN,
    "sketch": PLAIN,
    "match": PLAIN | {"text", "sketch"},
    **dict.fromkeys(MIDDLE, PLAIN | CORE),
    "run": PLAIN | CORE | MIDDLE,
    "integrations": PLAIN | CORE | MIDDLE | {"run", "dedup"},
    "spark": PLAIN | CORE | MIDDLE | {"run", "dedup"},
    "cli": PLAIN | CORE | MIDDLE | {"run", "spark", "integrations", "dedup"},
    "__main__": {"cli"},
}
"""What each room may import beside itself; "dedup" is the package's public face."""

IO_MODULES = {
    *(
        "io",
        "os",
        "sys",
        "pathlib",
        "tempfile",
        "shutil",
        "socket",
        "subprocess",
        "logging",
        "sqlite3",
        "apsw",
    ),
    *("json", "csv", "pickle", "urllib", "click", "rich", "msgspec", "warnings", "zipfile", "importlib"),
    *("pyarrow.csv", "pyarrow.json", "pyarrow.parquet", "pyarrow.fs", "pyarrow.dataset", "pyspark"),
}
DATA_LOADERS = {Path("text/fold_table.py"), Path("text/markers.py")}


def room_of(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> Iterator[tuple[str, str, ast.stmt]]:
    """Yield module, name ("" for a whole module) and statement of each import, those in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "", node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            for alias in node.names:
                yield node.module or "", alias.name, node


def own_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the module inside the package, "" for the package itself, and the name imported from it."""
    for module, name, _ in imports_of(TREES[path]):
        if module == "dedup":
            inside = name if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists() else ""
            yield inside, name
        elif module.startswith("dedup."):
            yield module.removeprefix("dedup."), name


INSIDE = [path for path in TREES if path != Path("__init__.py")]


@pytest.mark.parametrize("path", INSIDE, ids=str)
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} has no place in the layout; give it one here"
    for module, name in own_imports(path):
        target = module.partition(".")[0] or "dedup"
        deep = f"{module}.{name}"
        allowed = target == room or any(
            may in {target, module} or deep.startswith(f"{may}.") for may in MAY_IMPORT[room]
        )
        assert allowed, f"{path} imports {module or 'dedup'}: {name}"


@pytest.mark.parametrize("path", INSIDE, ids=str)
def test_private_names_stay_in_their_room(path: Path) -> None:
    for module, name in own_imports(path):
        if module.partition(".")[0] != room_of(path):
            parts = [*module.split("."), name]
            assert not any(part.startswith("_") and part != "__version__" for part in parts), (
                path,
                module,
                name,
            )


CORE_FILES = [path for path in TREES if room_of(path) in CORE]


@pytest.mark.parametrize("path", CORE_FILES, ids=str)
def test_text_sketch_and_match_do_no_input_or_output(path: Path) -> None:
    used = {module for module, _, _ in imports_of(TREES[path])}
    used |= {f"{module}.{name}" for module, name, _ in imports_of(TREES[path]) if module == "pyarrow"}
    if path in DATA_LOADERS:  # the files of data are read from the package
        used -= {"io", "zipfile", "importlib"}
    assert not {module for module in used if module in IO_MODULES or module.partition(".")[0] in IO_MODULES}
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in {"open", "read_text", "write_text", "write_bytes", "save", "savez", "tofile"}
            assert called not in {"read_bytes", "load"} or path in DATA_LOADERS


@pytest.mark.parametrize("path", [path for path in TREES if room_of(path) != "cli"], ids=str)
def test_only_the_command_line_prints_or_exits(path: Path) -> None:
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"print", "exit", "quit", "input", "sys.exit", "os._exit", "click.echo"}, (
                node.lineno
            )
            assert not name.startswith(("sys.stdout", "sys.stderr")), f"line {node.lineno}"


@pytest.mark.parametrize("path", TREES, ids=str)
def test_input_is_never_checked_by_assert_and_no_except_is_bare(path: Path) -> None:
    for node in ast.walk(TREES[path]):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"line {node.lineno}"


def test_builtin_hash_and_pickle_are_not_used() -> None:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.Call) and ast.unparse(node.func) == "hash"), (path, node.lineno)
        assert not {"pickle", "shelve", "marshal"} & {module for module, _, _ in imports_of(tree)}, path


def loaded_by(statement: str) -> set[str]:
    script = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


HEAVY = {
    "apsw",
    "numba",
    "numpy",
    "pyarrow",
    "pyspark",
    "datasketch",
    "sklearn",
    "scipy",
    "pandas",
    "polars",
    "click",
    "rich",
    "jinja2",
    "scrapy",
    "twisted",
}


def test_importing_the_package_loads_nothing_heavy_and_no_other_module_of_it() -> None:
    loaded = loaded_by("import dedup; dir(dedup); dedup.__version__")
    assert not loaded & HEAVY
    assert {name for name in loaded if name.startswith("dedup")} == {"dedup"}


def test_settings_and_errors_load_nothing_heavy() -> None:
    assert not loaded_by("import dedup; dedup.Settings(); dedup.DedupError") & HEAVY


def test_the_spark_module_and_the_command_line_load_no_pyspark() -> None:
    assert not loaded_by("import dedup.spark, dedup.cli, dedup.spark.session") & {
        "pyspark",
        "pandas",
        "numba",
    }


def test_only_the_pipeline_loads_scrapy() -> None:
    statement = "import dedup, dedup.cli, dedup.integrations.scikit_learn; dedup.Index, dedup.find_groups"
    assert not loaded_by(statement) & {"scrapy", "twisted", "itemadapter"}


def test_every_public_name_can_be_had_and_is_documented() -> None:
    for name in dedup.__all__:
        value = getattr(dedup, name)
        assert name == "__version__" or value.__doc__, name
    assert sorted(dedup.__all__) == sorted(dir(dedup))
    with pytest.raises(AttributeError, match="no attribute 'find_group'"):
        _ = dedup.find_group
