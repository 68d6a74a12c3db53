"""One pass over the groups, links and rejects of a run: what a report counts, and which of them it shows."""

import hashlib
import heapq
import itertools
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from dedup.articles import Group, Link
from dedup.errors import SettingsError
from dedup.formats.run_output import RunOutput
from dedup.report.plots import bin_of
from dedup.report.shown import RejectKind

ORDERS = ("doubtful", "largest", "sample")
"""Which groups come first: those with a member of the lowest Jaccard, the largest, or some by chance, the
same every time."""

NUM_BINS = 20
_MAX_REJECT_KINDS = 50
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-f]+|\d+")

_Item = TypeVar("_Item")


class ChosenGroup(NamedTuple):
    """A group of which some members are kept, in their order; `size` counts all."""

    group: Group
    size: int


@dataclass
class Contents:
    """What a report counts, and the groups and links that it shows, in their order.

    `jaccards` and `coverages` count the near copies and the parts in `NUM_BINS` equal shares; `close` those
    copies below the line that was given.
    """

    sizes: Counter[int] = field(default_factory=Counter)
    jaccards: list[int] = field(default_factory=lambda: [0] * NUM_BINS)
    coverages: list[int] = field(default_factory=lambda: [0] * NUM_BINS)
    num_close: int = 0
    num_links: int = 0
    groups: list[ChosenGroup] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    rejects: list[RejectKind] = field(default_factory=list)
    num_other_rejects: int = 0

    @property
    def num_groups(self) -> int:
        """The number of groups, shown or not."""
        return sum(self.sizes.values())


def choose(
    output: RunOutput, order: str, *, num_groups: int, num_members: int, num_links: int, close_line: float
) -> Contents:
    """Return what a report of a run counts and shows; no more is held than is shown.

    Of a group with more than `num_members` members those with the lowest Jaccard are kept. Raises
    `SettingsError` for an order that is none of `ORDERS`, `InputError` where the output cannot be read.
    """
    if order not in ORDERS:
        raise SettingsError(f"order is {order!r}; the choices are {', '.join(ORDERS)}")
    contents = Contents()

    def counted_groups() -> Iterator[ChosenGroup]:
        for group in output.groups():
            contents.sizes[group.size] += 1
            for member in group.members[1:]:
                if member.relation == "near":
                    contents.jaccards[bin_of(member.jaccard, NUM_BINS)] += 1
                    contents.num_close += member.jaccard < close_line
            yield ChosenGroup(_cut(group, num_members), len(group.members))

    def counted_links() -> Iterator[Link]:
        for link in output.links():
            contents.num_links += 1
            contents.coverages[bin_of(link.coverage, NUM_BINS)] += 1
            yield link

    contents.groups = _least(counted_groups(), num_groups, _GROUP_KEYS[order])
    contents.links = _least(counted_links(), num_links, _by_chance_link if order == "sample" else _coverage)
    contents.rejects, contents.num_other_rejects = _reject_kinds(output)
    return contents


def _cut(group: Group, num_members: int) -> Group:
    members = group.members[1:]
    if len(members) <= num_members:
        return group
    lowest = heapq.nsmallest(num_members, range(len(members)), key=lambda at: members[at].jaccard)
    return replace(group, members=(group.members[0], *(members[at] for at in sorted(lowest))))


def _least(items: Iterable[_Item], number: int, key: Callable[[_Item], object]) -> list[_Item]:
    """Return the items with the least keys; those with the same key in their order. All are looked at."""
    numbered = ((key(item), place, item) for place, item in enumerate(items))
    least = heapq.nsmallest(number, numbered)
    deque(numbered, maxlen=0)  # for none nsmallest looks at none
    return [item for _, _, item in least]


def _lowest_jaccard(chosen: ChosenGroup) -> float:
    return min((member.jaccard for member in chosen.group.members[1:]), default=1.0)


def _negative_size(chosen: ChosenGroup) -> int:
    return -chosen.size


def _by_chance(chosen: ChosenGroup) -> bytes:
    return _digest(str(chosen.group.group_id))


def _coverage(link: Link) -> float:
    return link.coverage


def _by_chance_link(link: Link) -> bytes:
    return _digest(f"{link.part_id} {link.whole_id}")


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


_GROUP_KEYS: dict[str, Callable[[ChosenGroup], object]] = {
    "doubtful": _lowest_jaccard,
    "largest": _negative_size,
    "sample": _by_chance,
}


def _reject_kinds(output: RunOutput) -> tuple[list[RejectKind], int]:
    """Return the first kinds of reasons, whatever values they name, and how many records have others.

    The most frequent of these kinds comes first.
    """
    kinds: dict[str, RejectKind] = {}
    num_others = 0
    for reject in output.rejects():
        kind = _VALUE.sub("…", reject.reason)
        if kind in kinds:
            kinds[kind] = replace(kinds[kind], count=kinds[kind].count + 1)
        elif len(kinds) < _MAX_REJECT_KINDS:
            kinds[kind] = RejectKind(reject.reason, 1, reject.file, reject.line)
        else:
            num_others += 1
    return sorted(kinds.values(), key=lambda kind: -kind.count), num_others


def wanted_ids(contents: Contents) -> set[str]:
    """Return the ids, as strings, of the articles that are shown."""
    members = itertools.chain.from_iterable(chosen.group.members for chosen in contents.groups)
    linked = itertools.chain.from_iterable((link.part_id, link.whole_id) for link in contents.links)
    return {str(member.id) for member in members} | {str(id_) for id_ in linked}
