"""The words of the rules for errors: what each error means and what to try, by what Python said."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from jupyter_ppo.tutor.error_places import Place, names_in, short

#: What an error means, and what to try.
Words = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule decides on. ``found`` is the match of its pattern in the message."""

    error_type: str
    message: str
    code: str
    place: Place
    found: re.Match[str]

    def part(self, name: str) -> str:
        """Return a group of the match as one short plain line; "" when there is none."""
        return short(self.found.groupdict().get(name) or "")


def not_written(_: Said) -> Words:
    """Say it of an answer that still is the skeleton."""
    return (
        "The answer still holds the line that the exercise was handed out with: it says that "
        "nothing is written yet, and raises this error when it is reached.",
        (
            "Take that line out once your own lines are in its place.",
            "If you wrote your lines already, look whether they stand below it: nothing after it "
            "in the same block is ever run.",
        ),
    )


def name(said: Said) -> Words:
    """Say it of a name that is not defined."""
    name = said.part("name")
    near = difflib.get_close_matches(name, names_in(said.code) - {name}, n=1, cutoff=0.7)
    alike = f" The cell has a name that looks alike: {near[0]!r}." if near else ""
    return (
        f"The name {name!r} is used, but nothing has been given that name yet.{alike}",
        (
            "Compare the spelling letter by letter, capitals too.",
            "If an earlier cell defines it, run that cell first; after a restart of the kernel all "
            "of them.",
            "If a function gives it away, look whether it is a name inside that function only.",
        ),
    )


def unbound(said: Said) -> Words:
    """Say it of a local name without a value."""
    return (
        f"The name {said.part('name')!r} belongs to the function because something in it assigns "
        "the name, and it is read before that happened.",
        (
            "Follow the branches: is there a way through the function on which it is never set?",
            "Give it its first value before the loop or the condition.",
        ),
    )


def module(said: Said) -> Words:
    """Say it of a package that is not there."""
    return (
        f"Python found no package called {said.part('name')!r} where this notebook runs.",
        (
            "Compare the spelling with the cell of imports that the notebook came with.",
            "Use what the notebook imports already: the tests run where only those packages are.",
        ),
    )


def import_name(said: Said) -> Words:
    """Say it of a name that a package has not."""
    return (
        f"The package is there, but has nothing called {said.part('name')!r}.",
        ("Compare the spelling.", "Look whether the name belongs to a module inside the package."),
    )


def unpack(said: Said) -> Words:
    """Say it of values taken apart wrongly."""
    return (
        "The line takes apart another number of values than it gets.",
        (
            "Count the names on the left side, and print what is on the right side.",
            "Look at the exercise's signature: how many values does the function give back?",
        ),
    )


def arguments(said: Said) -> Words:
    """Say it of a call with wrong arguments."""
    return (
        "A function was called with other arguments than it takes: one is missing, one is too "
        f"many, or one has another name. Python says: {short(said.message)}.",
        (
            "Put the call and the line with the function's def next to each other, and pair them "
            "argument by argument.",
            "If tests call it, keep the names and the order that the exercise gives.",
        ),
    )


def none_used(said: Said) -> Words:
    """Say it of None in the place of a value."""
    return (
        "A value is None where a number, an array or an object is needed. Most often a function "
        "ended without giving anything back.",
        (
            "Look which function the value came from, and whether every way through it ends with "
            "giving its result back.",
            "Methods that change a thing in place give None back: do not assign their result.",
        ),
    )


def not_callable(said: Said) -> Words:
    """Say it of a call of what is no function."""
    return (
        "Something that is no function is followed by round brackets, as if it were called.",
        (
            "Look whether a variable has the same name as a function and hides it.",
            "Look for a missing operator between a number and a bracket.",
        ),
    )


def other_types(said: Said) -> Words:
    """Say it of types that do not go together."""
    return (
        f"Two kinds of values meet that do not go together. Python says: {short(said.message)}.",
        (
            "Print the type of each value in the line.",
            "Turn one of them into the other's kind before they meet.",
        ),
    )


def index(said: Said) -> Words:
    """Say it of an index behind the end."""
    return (
        f"An index points behind the end: {short(said.message)}. Positions count from 0, so the "
        "last one is the size minus 1.",
        (
            "Print the shape, and the index just before the line.",
            "Look at the first and the last round of the loop: who reads one step ahead needs one "
            "value more, or a special case at the end.",
        ),
    )


def index_kind(said: Said) -> Words:
    """Say it of an index of a wrong kind."""
    return (
        f"An array cannot be indexed like this: {short(said.message)}.",
        (
            "Print the shape of the array: is there one index for each axis, and no more?",
            "Print the index and its type: whole numbers, slices and masks can be indices.",
        ),
    )


def key(said: Said) -> Words:
    """Say it of a key that is not there."""
    return (
        f"A dictionary has no entry {said.part('name')}.",
        (
            "Print its keys, and compare the spelling and the kind: 1 and '1' are two keys.",
            "If some entries are only there sometimes, say what counts when they are not.",
        ),
    )


def attribute(said: Said) -> Words:
    """Say it of an attribute that is not there."""
    kind, name = said.part("kind"), said.part("name")
    return (
        f"A value of the kind {kind!r} has nothing called {name!r}.",
        (
            "Print the type of the value: is it what you think it is?",
            "NumPy arrays and PyTorch tensors look alike and have other methods.",
            "Compare the spelling.",
        ),
    )


def zero(said: Said) -> Words:
    """Say it of a division by zero."""
    return (
        "Something is divided by zero.",
        (
            "Which value is below the line? Print it.",
            "Ask what the result should be for none: an empty list, no steps, no spread.",
            "For a spread that can be 0 papers add a very small number below the line.",
        ),
    )


def timeout(said: Said) -> Words:
    """Say it of code that took too long."""
    return (
        "The code took more time than it may.",
        (
            "Look for a loop whose condition never becomes false.",
            "Look for loops over samples that one operation on whole arrays can do.",
            "Try with few steps first.",
        ),
    )


def interrupted(said: Said) -> Words:
    """Say it of a cell that was interrupted."""
    return (
        "The cell was interrupted before it had ended.",
        ("If it ran longer than you expect, look for a loop that never ends.",),
    )


def memory(said: Said) -> Words:
    """Say it of too little memory."""
    return (
        "There is not enough memory for what the code makes.",
        (
            "Print the shapes: (B,) against (B, 1) gives (B, B) without an error.",
            "Lists of tensors with their graphs grow with every step: keep plain numbers.",
        ),
    )


def recursion(said: Said) -> Words:
    """Say it of a function that calls itself for ever."""
    return (
        "A function calls itself, directly or through another, and never comes to an end.",
        ("Look for the case in which it has to stop.", "Look whether two names got mixed up."),
    )


def assertion(said: Said) -> Words:
    """Say it of a check that failed."""
    asked = short(said.message, 400)
    means = "A check compared what your code gives with what it should give, and they differ."
    if asked:
        means += f" It says: {asked}."
    return (
        means,
        (
            "Read the line of the check: what goes in, and what should come out?",
            "Work that one case out by hand, then print what your code gives at each step of it.",
            "Compare shape and kind of numbers first, then the values.",
        ),
    )


def syntax(said: Said) -> Words:
    """Say it of text that is no Python."""
    return (
        f"Python cannot read the line, so nothing of the cell was run: {short(said.message)}.",
        (
            "Look at the line that is named and at the one before it: a bracket or a quotation "
            "mark that is not closed, or a colon that is missing.",
            "Look at the blanks at the beginning of the lines: blocks have to line up.",
        ),
    )


def value(said: Said) -> Words:
    """Say it of a value that cannot be used."""
    return (
        f"The kind of a value is right, but not the value itself: {short(said.message)}.",
        ("Print the values that go into the line.", "Ask which of them the function can take."),
    )
