"""The `kernel` decorators: numba's compiler, with a compile cache (`kernel_cache`).

A kernel is compiled at its first call; where no folder for the cache can be written, for this process alone.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

from numba.core import caching, event, types
from numba.core.registry import CPUDispatcher

from dedup.kernel_cache import EntryCache, KernelCache, warn_uncached

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

    cache_class = KernelCache
    _cache: Any

    def compile(self, sig: Any) -> Any:
        """Return the entry point for a signature, from the cache if it is there."""
        if not BOUNDS_CHECKS and isinstance(self._cache, caching.NullCache):
            try:
                self._cache = self.cache_class(self.py_func)
            except RuntimeError:  # numba: no locator could write anywhere
                warn_uncached("no folder for the cache can be written")
        return super().compile(sig)


class _Kernel(_CachedDispatcher):
    """A kernel; other kernels call a form of it that Python cannot call.

    The code that takes arguments from Python is longer than most kernels, and few are called from there:
    without it the first run of the command compiles in half the time.
    """

    cache_class = EntryCache

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
    """A kernel as other kernels call it."""


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
