"""The `kernel` decorators: numba's compiler, with a compile cache that never stands in the way.

A kernel is compiled at its first call and kept in a cache beside its source file, else in the
user's cache folder, else in a private temporary folder that all processes of this user share.
Where none of these can be written the kernel is compiled for this process alone, with one warning.

numba checks a cached kernel against its own source file only. Kernels here are built from kernels
of other files, so the stamp covers every kernel file of the package.
"""

import functools
import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core import caching, event, types
from numba.core.registry import CPUDispatcher
from numba.core.runtime import rtsys

BOUNDS_CHECKS = os.environ.get("DEDUP_BOUNDS_CHECKS") == "1"
"""Compile kernels with bounds checks, for fuzzing; such kernels are not cached."""


def kernel(function: Callable[..., Any]) -> Any:
    """Return `function` compiled by numba: without the GIL, without fast-math, cached on disk."""
    return _Kernel(function, {})


def inner_kernel(function: Callable[..., Any]) -> Any:
    """Return `function` compiled as by `kernel`, without counts of references to its arrays.

    For kernels that make no array and return none; numba refuses others. It leaves the counts out by
    itself where arguments are plain arrays, but not where they are named tuples of arrays: there a call
    cost two dozen atomic instructions, as much as reading a hundred characters.
    """
    return _Kernel(function, {"_nrt": False})


class _CachedDispatcher(CPUDispatcher):  # type: ignore[misc]
    """numba's compiler of one function, with a cache that is opened at the first call.

    A run calls one in seven of the kernels that it imports; other kernels call the rest, or nobody. Opening
    finds a folder that can be written by writing there.
    """

    _cache: Any

    def compile(self, sig: Any) -> Any:
        """Return the entry point for a signature, from the cache if it is there."""
        if not BOUNDS_CHECKS and isinstance(self._cache, caching.NullCache):
            try:
                self._cache = _KernelCache(self)
            except RuntimeError:  # numba: no locator could write anywhere
                _warn_uncached("no folder for the cache can be written")
        return super().compile(sig)


class _Kernel(_CachedDispatcher):
    """A kernel; other kernels call a form of it that Python cannot call.

    The code that takes arguments from Python is longer than most kernels, and few are called from there:
    without it the first run of the command compiles in half the time.
    """

    cache_name = "python"

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._options = {"nopython": True, "nogil": True, "boundscheck": BOUNDS_CHECKS, **options}
        super().__init__(function, targetoptions=self._options)

    @functools.cached_property
    def _form_for_kernels(self) -> "_FormForKernels":
        return _FormForKernels(self.py_func, targetoptions={**self._options, **_NO_WRAPPERS})

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return how a kernel calls this one; a literal argument makes no form of its own."""
        args = [kind.literal_type if isinstance(kind, types.Literal) else kind for kind in args]
        return self._form_for_kernels.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        """Return the form that a kernel calls."""
        return self._form_for_kernels.get_overload(sig)


class _FormForKernels(_CachedDispatcher):
    cache_name = "kernels"


_NO_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class _FirstCompilation(event.Listener):  # type: ignore[misc]
    """Calls a function before the first kernel of this process is compiled, not where it is in the cache."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def on_start(self, event: Any) -> None:
        """Take the start of a compilation."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def on_end(self, event: Any) -> None:
        """Take the end of a compilation."""


def tell_of_compiling(tell: Callable[[], None]) -> None:
    """Have `tell` called once, when the first kernel is compiled; never where all come from the cache."""
    event.register("numba:compile", _FirstCompilation(tell))


@functools.cache
def _warn_uncached(reason: str) -> None:
    warnings.warn(
        f"compiled kernels cannot be kept ({reason}); each process compiles them anew, which takes "
        "some seconds. Set NUMBA_CACHE_DIR to a folder that can be written.",
        RuntimeWarning,
        stacklevel=3,
    )


@functools.cache
def _kernel_sources_digest() -> bytes:
    """Return a digest of all files of the package that define or build kernels."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        if b"@kernel" in source or b"@inner_kernel" in source or path.samefile(__file__):
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


class _KernelCacheImpl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_UserProvided, _InTree, _UserWide, _PrivateTemporary)


class _KernelCache(caching.FunctionCache):  # type: ignore[misc]
    """numba's cache of one function; a cache that fails is a cache that is not used."""

    _impl_class = _KernelCacheImpl

    def __init__(self, dispatcher: Any) -> None:
        super().__init__(dispatcher.py_func)
        # Files of its own for each form: numba's index takes no lock, so that two processes can give one
        # name to two entries, and what is found under it must be callable by who looks.
        self._cache_file = caching.IndexDataCacheFile(
            cache_path=self._cache_path,
            filename_base=f"{self._impl.filename_base}.{dispatcher.cache_name}",
            source_stamp=self._impl.locator.get_source_stamp(),
        )
        # numba compares this first, and its own stamp once the whole index is unpickled: that fails for ever
        # where a class is gone that a kernel of an earlier version of the package took.
        self._cache_file._version += self._impl.locator.get_source_stamp().hex()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel in the cache, or None.

        numba's own first has the compiler learn all of Python and numpy that it can compile, and load scipy's
        linear algebra: a third of the processor time of a small run. Loaded code needs no more of that than
        the functions that count references to arrays; where a kernel is compiled numba does it then.
        """
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    @contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # a full disk, a torn file; numba unpickles what it finds, noise too
            self.disable()
            _warn_uncached(str(error) or type(error).__name__)
