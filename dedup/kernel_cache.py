"""The cache of compiled kernels, numba's own made to load fast and never to stand in the way.

It lies beside the source file of a kernel, else in the user's cache folder, else in a private temporary
folder that all processes of this user share. Where none of these can be written there is one warning.

numba checks a cached kernel against source files, not against the constants that it took from modules
without a kernel. So the stamp covers every file from which kernels are built.
"""

import functools
import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from numba.core import caching, compiler
from numba.core.codegen import ll as llvm
from numba.core.runtime import _nrt_python, rtsys


@functools.cache
def warn_uncached(reason: str) -> None:
    """Warn, once for each reason, that kernels are compiled by each process."""
    warnings.warn(
        f"compiled kernels cannot be kept ({reason}); each process compiles them anew, which takes "
        "some seconds. Set NUMBA_CACHE_DIR to a folder that can be written.",
        RuntimeWarning,
        stacklevel=3,
    )


_WITH_CONSTANTS = ("", "text", "sketch", "match")
"""Rooms of the package from which kernels take constants; elsewhere only what has a kernel counts."""


@functools.cache
def _kernel_sources_digest() -> bytes:
    """Return a digest of all files of the package from which kernels are built."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    rooms = [package / room for room in _WITH_CONSTANTS]
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if path.parent in rooms or b"@kernel" in source or b"@inner_kernel" in source:
            digest.update(source)
    return digest.digest()


class _PackageStamp:
    """Mixin: the stamp of a cached kernel is the digest of all kernel sources."""

    def get_source_stamp(self) -> bytes:
        return _kernel_sources_digest()


class _UserProvided(_PackageStamp, caching.UserProvidedCacheLocator):  # type: ignore[misc]
    pass


class _InTree(_PackageStamp, caching.InTreeCacheLocator):  # type: ignore[misc]
    pass


class _UserWide(_PackageStamp, caching.UserWideCacheLocator):  # type: ignore[misc]
    pass


def _private_folder() -> str:
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    return os.path.join(tempfile.gettempdir(), f"article-dedup-kernels-{owner}")


class _PrivateTemporary(_PackageStamp, caching.InTreeCacheLocator):  # type: ignore[misc]
    """A folder under the system's temporary folder that only this user can enter."""

    def get_cache_path(self) -> str:
        subfolder: str = self.get_suitable_cache_subpath(self._py_file)
        return os.path.join(_private_folder(), subfolder)

    def ensure_cache_path(self) -> None:
        path = _private_folder()
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.lstat(path)
        # Another user could have made the folder first; code from there must not be run.
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if hasattr(os, "getuid") and not (private and status.st_uid == os.getuid()):
            raise PermissionError(f"{path} is not private to this user")
        super().ensure_cache_path()


class _KernelFiles(caching.CompileResultCacheImpl):  # type: ignore[misc]
    """What is kept of a kernel for other kernels: all that numba keeps."""

    _locator_classes = (_UserProvided, _InTree, _UserWide, _PrivateTemporary)
    form = "kernels"


class KernelCache(caching.FunctionCache):  # type: ignore[misc]
    """numba's cache of one function; a cache that fails is a cache that is not used."""

    _impl_class: type[_KernelFiles] = _KernelFiles

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        # Files of its own for each form: numba's index takes no lock, so that two processes can give one
        # name to two entries, and what is found under it must be callable by who looks.
        self._cache_file = caching.IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=f"{self._impl.filename_base}.{self._impl.form}",
            source_stamp=self._impl.locator.get_source_stamp(),
        )
        # numba compares this first, and its own stamp once the whole index is unpickled: that fails for ever
        # where a class is gone that a kernel of an earlier version of the package took.
        self._cache_file._version += self._impl.locator.get_source_stamp().hex()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel in the cache, or None.

        numba's own first has the compiler learn all of Python and numpy that it can compile, and load scipy's
        linear algebra: a third of the processor time of a small run. Loaded code needs no more of that than
        the functions that allocate arrays and free them; where a kernel is compiled numba does it then.
        """
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    @contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # a full disk, a torn file; numba unpickles what it finds, noise too
            self.disable()
            warn_uncached(str(error) or type(error).__name__)


class _Entry(NamedTuple):
    """A compiled kernel as the cache has it: machine code, the names in it and of what it calls."""

    name: str
    machine_code: bytes
    defined: list[str]
    runtime: list[str]
    description: Any
    environment: Any
    signature: Any
    type_annotation: str


class _EntryFiles(_KernelFiles):
    """What is kept of a kernel for Python: its machine code.

    numba keeps the code once more as LLVM reads it, for kernels that call this one; here they call the other
    form. And it keeps an environment, for constants that are Python objects, of each function that was
    inlined: to make these it imports the modules of them all. A kernel has no such constants. Loading takes a
    third of the time without either.
    """

    form = "python"

    def reduce(self, compiled: Any) -> _Entry:
        """Return what is kept of a compiled kernel."""
        library = compiled.library
        name, _, (machine_code, _) = library.serialize_using_object_code()
        functions = [(each.name, each.is_declaration) for each in library._final_module.functions]
        description = compiled.fndesc
        description.typemap = description.calltypes = None  # as numba does: they may fail to be pickled
        return _Entry(
            name,
            machine_code,
            [function for function, is_declared in functions if not is_declared],
            [function for function, is_declared in functions if is_declared and function.startswith("NRT_")],
            description,
            compiled.environment,
            compiled.signature,
            str(compiled.type_annotation),
        )

    def rebuild(self, target_context: Any, entry: _Entry) -> Any:
        """Return the compiled kernel."""
        _provide_runtime(entry.runtime, target_context)
        codegen = target_context.codegen()
        library = codegen.create_library(entry.name)
        library.enable_object_caching()
        library._set_compiled_object(entry.machine_code)
        library._finalize_final_module()
        codegen._engine._defined_symbols.update(entry.defined)
        return compiler.compile_result(
            target_context=target_context,
            typing_context=target_context.typing_context,
            library=library,
            environment=entry.environment,
            entry_point=target_context.get_executable(library, entry.description, entry.environment),
            fndesc=entry.description,
            type_annotation=entry.type_annotation,
            signature=entry.signature,
            objectmode=False,
            lifted=(),
            reload_init=(),
            referenced_envs=(),
        )


class EntryCache(KernelCache):
    """The cache of the form that Python calls."""

    _impl_class = _EntryFiles


def _provide_runtime(names: Sequence[str], target_context: Any) -> None:
    """Make the functions by which loaded code allocates and frees arrays known to the linker.

    They are in numba's extension module. What it adds in LLVM's language, to count references, takes 15 ms to
    compile and is in the loaded code itself; it is compiled only where something else is asked for.
    """
    _register_runtime()
    if any(llvm.address_of_symbol(name) is None for name in names):
        rtsys.initialize(target_context)


@functools.cache
def _register_runtime() -> None:
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
