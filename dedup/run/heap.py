"""Memory that was freed and that allocators keep for later: it is given back before the next stage."""

import ctypes

import pyarrow as pa


def give_back_unused() -> None:
    """Have Arrow and the C library give the system back what they hold and nobody uses.

    The arrays of a chunk come from heaps of the C library, one for each thread, which keep what was freed:
    100 MB and more after reading. Only that of the GNU system can be asked; elsewhere this part is left out.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
