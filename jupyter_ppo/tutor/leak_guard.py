"""Whether a text gives a solution away: code in it, or words that come too close to the reference.

Two looks. Runs of five code tokens that the reference has and the student was not given; names and
numbers are compared as they are written. And every part of the text that reads as Python is parsed:
a statement of the reference with other names is the same statement.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

#: Tokens in a row that the reference has as well.
NGRAM = 5
#: A line of code with more tokens than this is code, and not a name in a sentence.
_MOST_TOKENS = 3
#: The smallest part of the reference's tree that counts, in nodes.
_LEAST_NODES = 6

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]")
_SPAN = re.compile(r"`{1,3}([^`]{1,2000})`{1,3}")
_BLOCK = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_STATEMENT = re.compile(
    r"(?:def|class|return|import|from|for|while|if|with|assert|raise|yield|lambda)\b|[^=!<>]=[^=]"
)
#: What stands around an equals sign; a name is bounded, or long words would take their square.
_ASSIGNMENT = re.compile(r"[\w.\[\]]{1,80} ?[-+*/]?= ?[^\s,;=][^,;]{2,200}")
_KEYWORD = re.compile(r"\b(?:return|def|class|assert) [^,;]{3,200}")
# "return this and that" is a sentence that parses.
_CODE_SIGN = re.compile(r"[=()\[\]{}+\-*/%@<>_]|\.\w")
# The signs of code: a run of plain words is no leak, however common it is.
_SIGN = re.compile(r"[^\w\s]")
_WORDY = frozenset(".,;:!?'\"()-")
_SKIPPED = frozenset(
    {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER, tokenize.ENCODING,
    }
)  # fmt: skip
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def leaks(text: str, reference: str, given: str = "") -> str | None:
    """Return what is wrong with showing ``text`` to a student, None if nothing is.

    ``reference`` is the author's solution, ``given`` what the student has anyway: the released
    cell, their own answer.
    """
    text = unicodedata.normalize("NFKC", text)  # as Python reads names
    found = code_in(text)
    if found is not None or not reference.strip():
        return found
    secret = _grams(tuple(_tokens(reference))) - _grams(tuple(_tokens(given)))
    if any(gram in secret and _is_code(gram) for gram in _grams_in(_loose(text))):
        return "it came too close to the solution"
    trees = _trees(reference) - _trees(given)
    if trees and any(trees & _trees(part) for part in _code_like(text)):
        return "it held a part of the solution"
    return None


def code_in(text: str) -> str | None:
    """Return what is wrong when ``text`` holds code: a block, or a statement; None otherwise."""
    if _BLOCK.search(text):
        return "it held a block of code"
    for part in _code_like(text):
        if len(_loose(part)) > _MOST_TOKENS and _is_statement(part):
            return "it held a line of code"
    return None


def _code_like(text: str) -> Iterator[str]:
    """Yield what may be code: quoted spans, lines, and parts of lines after a colon."""
    for span in _SPAN.finditer(text):
        yield span[1].strip()
    for line in text.replace("`", " ").split("\n"):
        plain = re.sub(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+", "", line).strip()
        if not plain:
            continue
        yield plain
        if ":" in plain:
            yield plain.partition(":")[2].strip().rstrip(".")
        for sentence in re.split(r"(?<=[.!?])\s+", plain):
            yield sentence.rstrip(".!?")
            # "Write total = total + x and ...": what stands around an equals sign.
            for found in _ASSIGNMENT.finditer(sentence):
                yield from _shorter(found[0])
            for found in _KEYWORD.finditer(sentence):
                yield from _shorter(found[0])


def _shorter(text: str) -> Iterator[str]:
    """Yield a text without its last words, one by one: code may end before its sentence."""
    words = text.rstrip(".!?").split(" ")
    for end in range(len(words), max(len(words) - 16, 1), -1):
        yield " ".join(words[:end])


def _is_statement(text: str) -> bool:
    """Whether a text is Python that does something, and no sentence."""
    if not _STATEMENT.search(text) or not _CODE_SIGN.search(text):
        return False
    for attempt in (text, f"{text}\n    pass"):
        try:
            tree = ast.parse(textwrap.dedent(attempt))
        except _UNREADABLE:
            continue
        return any(not isinstance(node, ast.Expr) for node in tree.body)
    # A return outside of a function parses; what is left is a sentence.
    return False


def _loose(text: str) -> list[str]:
    return _TOKEN.findall(text.replace("`", " "))


def _tokens(code: str) -> list[str]:
    """Return the tokens of code without comments and layout; of what is no Python, loose ones."""
    found: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in _SKIPPED:
                found += _TOKEN.findall(token.string)
    except (tokenize.TokenError, *_UNREADABLE):
        return _loose(code)
    return found


def _grams_in(tokens: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(tokens) - NGRAM + 1):
        yield tuple(tokens[start : start + NGRAM])


@lru_cache(maxsize=64)
def _grams(tokens: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(_grams_in(list(tokens)))


def _is_code(gram: tuple[str, ...]) -> bool:
    """Whether a run of tokens is more than words with commas: it has a sign that only code has."""
    return any(_SIGN.fullmatch(token) and token not in _WORDY for token in gram) or (
        "(" in gram and ")" in gram and "." in gram
    )


@lru_cache(maxsize=256)
def _trees(code: str) -> frozenset[str]:
    """Return the larger parts of a program's tree, names and numbers left out."""
    try:
        tree = ast.parse(textwrap.dedent(code))
        return frozenset(
            _shape(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt | ast.expr)
            and not isinstance(node, ast.FunctionDef | ast.ClassDef)
            and sum(1 for _ in ast.walk(node)) >= _LEAST_NODES
        )
    except _UNREADABLE:
        return frozenset()


def _shape(node: ast.AST) -> str:
    """Return a tree as text; every name is the same, functions and attributes keep theirs."""
    if isinstance(node, ast.Name):
        return "name"
    if isinstance(node, ast.expr_context):
        return ""
    inner = ",".join(
        _shape(value) if isinstance(value, ast.AST) else str(value)
        for _, field in ast.iter_fields(node)
        for value in (field if isinstance(field, list) else [field])
    )
    return f"{type(node).__name__}({inner})"
