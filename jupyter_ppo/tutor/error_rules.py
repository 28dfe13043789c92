"""Errors that learners of this course meet, explained by rules: what, where, what to try.

Everything that comes in was sent by a browser: it is quoted as plain text and nothing of it is run.
No explanation holds code that repairs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jupyter_ppo.tutor import array_error_words as arrays
from jupyter_ppo.tutor import error_words as say
from jupyter_ppo.tutor.error_places import place_of, short
from jupyter_ppo.tutor.error_words import Said, Words

#: The most of each text that is looked at, in characters.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class ErrorExplanation:
    """An error in plain sentences; ``rule`` names the rule that fitted, for tests and logs."""

    rule: str
    means: str
    where: str
    tries: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, paragraphs apart."""
        steps = "\n".join(f"- {each}" for each in self.tries)
        parts = (f"What it means: {self.means}", f"Where to look: {self.where}")
        return "\n\n".join((*parts, f"What to try:\n{steps}"))


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    types: tuple[str, ...]  # () is every type
    pattern: re.Pattern[str]
    words: Callable[[Said], Words]


def explain_error(
    error_type: str, message: str, traceback: str = "", code: str = ""
) -> ErrorExplanation:
    """Return what an error means, where to look and what to try; there is always an answer.

    ``code`` is the cell that was run. All four are untrusted text and may be empty or too long.
    """
    kind = short(error_type.rpartition(".")[2]) or _type_in(traceback[-_MOST:])
    message, code = message[:_MOST], code[:_MOST]
    place = place_of(traceback[-_MOST:], code)
    for rule in _RULES:
        found = rule.pattern.search(message)
        if found is not None and (not rule.types or kind in rule.types):
            said = Said(kind, message, code, place, found)
            means, tries = rule.words(said)
            return ErrorExplanation(rule.name, means, place.sentence, tries)
    named = kind or "An error"
    means = f"{named} stopped the cell" + (f": {short(message)}." if message.strip() else ".")
    tries = (
        "Read the last line of the traceback first: it says what was wrong.",
        "Find the last line above it that you wrote, and look at each value in it.",
        "Print the values and their shapes one line earlier. Are they what you expect?",
    )
    return ErrorExplanation("unknown", means, place.sentence, tries)


def _type_in(traceback: str) -> str:
    lines = [line for line in traceback.strip().split("\n") if line.strip()]
    found = re.match(r"([A-Za-z_][\w.]*):", lines[-1]) if lines else None
    return short(found[1].rpartition(".")[2]) if found else ""


def _p(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.DOTALL)


_ANY = _p("")
_SHAPES = r"shape|broadcast|size of tensor|dimension|equal size|expected sequence of length"

_RULES: tuple[_Rule, ...] = (
    _Rule("not_written", ("NotImplementedError",), _ANY, say.not_written),
    _Rule("unbound", ("UnboundLocalError",), _p(r"variable '(?P<name>\w+)'"), say.unbound),
    _Rule("name", ("NameError",), _p(r"name '(?P<name>\w+)'"), say.name),
    _Rule("module", ("ModuleNotFoundError",), _p(r"named '(?P<name>[\w.]+)'"), say.module),
    _Rule("import", ("ImportError",), _p(r"import name '(?P<name>\w+)'"), say.import_name),
    _Rule("syntax", ("SyntaxError", "IndentationError", "TabError"), _ANY, say.syntax),
    _Rule(
        "step_values",
        ("ValueError",),
        _p(r"too many values to unpack \(expected [14](?:, got [25])?\)|expected 5, got 4"),
        arrays.step_values,
    ),
    _Rule(
        "unpack", ("ValueError", "TypeError"), _p(r"values? to unpack|cannot unpack"), say.unpack
    ),
    _Rule("reset", ("ResetNeeded",), _ANY, arrays.reset),
    _Rule(
        "reset",
        (),
        _p(r"call .{0,12}reset|before calling .{0,6}step|reset\(\) before"),
        arrays.reset,
    ),
    _Rule(
        "action", ("AssertionError", "InvalidAction"), _p(r"invalid|action_space"), arrays.action
    ),
    _Rule("none", (), _p(r"'?NoneType'?"), say.none_used),
    _Rule(
        "arguments",
        ("TypeError",),
        _p(r"positional argument|unexpected keyword|required .{0,40}argument|multiple values for"),
        say.arguments,
    ),
    _Rule("not_callable", ("TypeError",), _p(r"not callable"), say.not_callable),
    _Rule("in_place", ("RuntimeError",), _p(r"in-?place operation"), arrays.in_place),
    _Rule("twice", ("RuntimeError",), _p(r"backward through the graph a second"), arrays.twice),
    _Rule("no_graph", ("RuntimeError",), _p(r"does not require grad|no grad_?fn"), arrays.no_graph),
    _Rule("needs_detach", ("RuntimeError",), _p(r"call numpy\(\) on tensor"), arrays.needs_detach),
    _Rule(
        "dtype",
        ("RuntimeError", "TypeError", "IndexError"),
        _p(
            r"same dtype|found dtype|scalar type|expected .{0,20}(?:float|double|long|int)|"
            r"can't convert|must be of integer|float64|(?:arrays|tensors) used as indices"
        ),
        arrays.dtype,
    ),
    _Rule(
        "cast", ("TypeError", "UFuncTypeError", "_UFuncOutputCastingError"), _p("cast"), arrays.cast
    ),
    _Rule("matrix", (), _p(r"mat1 and mat2|matmul|shapes .{0,60} not aligned"), arrays.matrix),
    _Rule("reshape", (), _p(r"reshape|view size|is invalid for input of size"), arrays.reshape),
    _Rule(
        "one_element",
        ("ValueError", "RuntimeError", "TypeError"),
        _p(
            r"truth value|ambiguous|only .{0,60}(?:one element|size-1|length-1|scalar)|"
            r"elements cannot be converted"
        ),
        arrays.one_element,
    ),
    _Rule(
        "distribution", ("ValueError",), _p(r"expected parameter|constraint"), arrays.distribution
    ),
    _Rule("shape", ("ValueError", "RuntimeError"), _p(_SHAPES), arrays.broadcast),
    _Rule("index_kind", ("IndexError",), _p(r"only integers|too many indices"), say.index_kind),
    _Rule("index", ("IndexError",), _ANY, say.index),
    _Rule("key", ("KeyError",), _p(r"(?P<name>.+)"), say.key),
    _Rule(
        "attribute",
        ("AttributeError",),
        _p(r"'(?P<kind>[\w.]+)' (?:object )?has no attribute '(?P<name>\w+)'"),
        say.attribute,
    ),
    _Rule("zero", ("ZeroDivisionError",), _ANY, say.zero),
    _Rule("timeout", ("TimeoutError", "CellTimeoutError"), _ANY, say.timeout),
    _Rule("timeout", (), _p(r"timed? ?out|did not finish|time limit"), say.timeout),
    _Rule("interrupted", ("KeyboardInterrupt",), _ANY, say.interrupted),
    _Rule("memory", ("MemoryError", "OutOfMemoryError"), _ANY, say.memory),
    _Rule("recursion", ("RecursionError",), _ANY, say.recursion),
    _Rule(
        "not_finite",
        ("AssertionError", "ValueError", "RuntimeWarning", "FloatingPointError", "OverflowError"),
        _p(r"\bnan\b|\binf(?:inity)?\b|not finite|overflow|not numbers"),
        arrays.not_finite,
    ),
    _Rule("assertion", ("AssertionError",), _ANY, say.assertion),
    _Rule("types", ("TypeError",), _ANY, say.other_types),
    _Rule("value", ("ValueError",), _ANY, say.value),
)


def rule_names() -> Iterable[str]:
    """Return the name of every rule, once."""
    return dict.fromkeys(rule.name for rule in _RULES)
