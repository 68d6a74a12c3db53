"""Sorting inside kernels: shorter than numba's own sort, which takes a second to compile for each type."""

from dedup.compiling import inner_kernel

_FEW = 24
"""So many values are sorted by insertion, in fewer steps than a heap takes."""


@inner_kernel
def sort_values(values, begin, end):
    """Put the integers values[begin:end] in rising order, in place.

    By insertion where they are few, else by a heap: Williams, "Algorithm 232: Heapsort", 1964; no order
    of the values makes it slow.
    """
    count = end - begin
    if count <= _FEW:
        for k in range(begin + 1, end):
            value = values[k]
            at = k
            while at > begin and values[at - 1] > value:
                values[at] = values[at - 1]
                at -= 1
            values[at] = value
        return
    root = count // 2
    size = count
    while size > 1:
        if root > 0:  # the heap is built from its last parent to its root
            root -= 1
            value = values[begin + root]
        else:  # the largest value goes behind the heap
            size -= 1
            value = values[begin + size]
            values[begin + size] = values[begin]
        at = root
        child = 2 * at + 1
        while child < size:
            if child + 1 < size and values[begin + child + 1] > values[begin + child]:
                child += 1
            if values[begin + child] <= value:
                break
            values[begin + at] = values[begin + child]
            at = child
            child = 2 * at + 1
        values[begin + at] = value
