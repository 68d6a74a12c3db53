"""Marks: an upper bound for the shingles that two articles share, several times as fast as the number itself.

Of each shingle of the loaded article the low bits are marked in a table of bytes. Of another article as
many shingles fall on a mark as the two share, and a few more by chance. Most candidates share far too
little, and that they do shows here, without a branch that the processor cannot foresee.
"""

from dedup.compiling import inner_kernel

MARKS_A_SHINGLE = 16
"""A table has so many places a shingle or more: one in 16 of those that are not shared falls on a mark."""


@inner_kernel
def mark_shingles(shingles, count, marks):
    """Mark the first `count` shingles, and nothing else, in as much of `marks` as they take."""
    mask = marks_mask(marks, count)
    for place in range(mask + 1):
        marks[place] = 0
    for k in range(count):
        marks[int(shingles[k]) & mask] = 1


@inner_kernel
def count_marked(shingles, count, marks, num_marked):
    """Return how many of the first `count` shingles fall on a mark, where so many shingles were marked."""
    mask = marks_mask(marks, num_marked)
    marked = 0
    for k in range(count):
        marked += marks[int(shingles[k]) & mask]
    return marked


@inner_kernel
def marks_mask(marks, count):
    """Return the mask of the places that `count` marked shingles take."""
    size = 64
    while size < MARKS_A_SHINGLE * count:
        size *= 2
    return min(size, len(marks)) - 1
