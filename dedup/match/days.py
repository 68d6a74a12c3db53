"""Days on which a wording is found: the most distinct ones within any span of so many days."""

from dedup.compiling import kernel
from dedup.sorting import sort_values


@kernel
def most_days(days, count, span):
    """Return the most distinct days of the first `count` of int64 `days` that lie within one span.

    A span of 7 is a day and the six after it. The first `count` days are put in order, in place.
    """
    for k in range(1, count):
        if days[k] < days[k - 1]:
            sort_values(days, 0, count)
            break
    most = 0
    distinct = 0
    first = 0
    for last in range(count):
        if last > 0 and days[last] == days[last - 1]:
            continue
        distinct += 1
        while days[last] - days[first] >= span:
            leaving = days[first]
            while days[first] == leaving:
                first += 1
            distinct -= 1
        most = max(most, distinct)
    return most
