"""How much of a draft a person changed, counted in words."""

from __future__ import annotations


def edit_distance(before: str, after: str) -> float:
    """Return the least number of words to insert, delete or replace, as a share of the longer text.

    0 is the same words (spaces do not count), 1 all other words. Levenshtein's distance by the bit
    vectors of Myers (1999, "A fast bit-vector algorithm for approximate string matching").
    """
    one, other = before.split(), after.split()
    longest = max(len(one), len(other))
    return _distance(one, other) / longest if longest else 0.0


def _distance(one: list[str], other: list[str]) -> int:
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    every, last = (1 << len(one)) - 1, 1 << len(one) - 1
    more, less, distance = every, 0, len(one)
    for word in other:
        same = places.get(word, 0)
        upright = same | less
        level = (((same & more) + more) ^ more) | same
        rises = less | ~(level | more) & every
        falls = more & level
        distance += bool(rises & last) - bool(falls & last)
        rises = (rises << 1 | 1) & every
        falls = falls << 1 & every
        more = falls | ~(upright | rises) & every
        less = rises & upright
    return distance
