"""Points and words for a test cell that the examiner ran, from its ``CheckRun`` alone.

Of a hidden test a student gets to know the author's message as it is written, else its number;
never the text of an error, because it quotes values. Of what ran after a hidden test they get no
text that their own code could have put together (``autograde.hidden`` says why).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_ppo.autograde.failure import why_not_finished
from jupyter_ppo.autograde.hidden import TEXT_NOT_SHOWN, CheckText, TestText, builtin_error
from jupyter_ppo.autograde.points import (
    PASSED,
    Score,
    one_line,
    score_of_number,
    score_of_result,
)
from jupyter_ppo.autograde.text import presentable
from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict

#: What the stub in the place of an answer raises, without a text.
STUB_ERROR = "NotImplementedError"
_NO_ANSWER = "No answer yet."
_SOURCE_MAX = 120
_NAME_MAX, _MESSAGE_MAX, _REASON_MAX = 80, 300, 600
_RECORDS_MAX, _RETURNS_MAX = 20, 1000
_NOTES_MAX, _NOTE_MAX = 2, 200
_PLAIN_BASES = frozenset(
    {"tuple", "list", "dict", "set", "frozenset", "str", "bytes", "bytearray", "int", "float"}
    | {"complex", "ndarray", "numpy.ndarray", "Tensor", "torch.Tensor"}
)
_CHANGED = re.compile(r"(.*)\(argument (\w+)\)", re.DOTALL)
_SUBCLASS = re.compile(r"subclass of ([A-Za-z.]+)")
_STOPPED = "stopped with an error: try inputs of your own, other sizes and the last step too"


@dataclass(frozen=True, slots=True)
class SealedScore:
    """The score of a sealed test cell, and what a student may see of its checks."""

    score: Score
    checks: tuple[CheckLine, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SealedTest:
    """A sealed test cell and what its words depend on.

    ``points`` is its maximum; ``secrets`` are the hidden lines of the whole notebook, the longest
    first; ``unanswered`` says that the stub of an answer stands before it, ``skeleton`` that the
    last answer before it is one; ``allowed`` are the arguments that the reference solution changes
    too; ``is_late`` says that hidden tests of an earlier cell had run; ``given`` is what students
    read in the author's code cells.
    """

    index: int
    points: float
    text: TestText
    secrets: Sequence[str]
    unanswered: bool
    skeleton: bool
    allowed: frozenset[str]
    is_late: bool
    given: str
    answer_error: str = ""

    def score(self, check: CheckRun | None, run: NotebookRun) -> SealedScore:
        """Score the cell by what the examiner saw; None if it saw nothing."""
        if check is None or check.state is CheckState.NOT_RUN:
            reason = "Not run: the tests got no answer from your notebook's kernel."
            if run.verdict is not Verdict.RAN:
                reason = why_not_finished(run, self.index)
            return SealedScore(Score(0.0, one_line(reason)))
        lines = tuple(self._lines(check.lines))
        if check.state in {CheckState.TIMEOUT, CheckState.BORDER} or check.error_type:
            score = Score(0.0, self._failure(check))
            lines = tuple(map(_uncounted, lines))
        elif lines:
            score = self._sum(check, lines)
        elif check.state is not CheckState.PASSED:
            score = Score(0.0, "A test failed.")
        elif check.value is None:
            score = Score(self.points, PASSED)
        else:
            quiet = self._is_quiet(None)
            score = score_of_result(check.value, self.points, is_quiet=quiet)
        if not score.needs_review:
            added = self._changed(check)
            if score.points < self.points:
                added += "".join(self._notes(check))
                if self.answer_error and score.reason != _NO_ANSWER:
                    added = f" {self.answer_error}{added}"
            end = "" if not added or score.reason.endswith((".", "!", "?", "…")) else "."
            score = replace(score, reason=one_line(score.reason + end + added, _REASON_MAX))
        return SealedScore(score, lines, tuple(self._records(check)))

    def _failure(self, check: CheckRun) -> str:
        """Return the sentence for a cell that gives nothing."""
        number, tells = self.text.number(check.line), self.text.tells(check.line)
        quiet = self._is_quiet(check.line)
        tells = tells and not quiet
        message = self._shown(check.error_message)
        if check.state is CheckState.TIMEOUT:
            after = "" if quiet else f": they were stopped after {check.seconds:.3g} s"
            return f"The tests took too long{after}. Is there a loop that does not end?"
        if check.state is CheckState.BORDER:
            told = message if number is None and tells else ""
            return _with("What your code gave to the tests cannot be used", told)
        if self.unanswered and check.error_type == STUB_ERROR and not check.error_message:
            return _NO_ANSWER
        place = self._place(check.line)
        if tells:
            kind = self._shown(check.error_type, _NAME_MAX)
            if kind == "AssertionError" and place and message in place:
                return f"A test failed in {place}"
            failed = f"A test failed with {kind}" + (f": {message}" if message else "")
            return failed + (f" ({place})" if place else "")
        fixed = self._shown(self.text.message(check.line)) if check.is_message else ""
        if number is not None:
            # One bit more than that it failed, and no more: the kind of error could tell inputs.
            is_error = not check.is_message and check.error_type != "AssertionError"
            return _with(f"Hidden test {number} {_STOPPED if is_error else 'failed'}", fixed)
        if place and (not fixed or fixed in place):
            failed = f"A test failed in {place}"
        else:
            failed = _with("A test failed", fixed)
        if fixed or self.text.has_hidden or not self.text.tells(check.line):
            return failed + (f" ({place})" if place and place not in failed else "")
        kind = builtin_error(check.error_type)
        withheld = f" {TEXT_NOT_SHOWN}" if check.error_message else ""
        named = f" with {kind}" if kind else ""
        told = f" ({place})" if place else ""
        return f"A test failed{named}{told}.{withheld}"

    def _place(self, line: int | None) -> str:
        """Return a line that students can read, by its number in their notebook; else nothing."""
        found = self.text.source(line)
        if found is None or not found[1].strip():
            return ""
        return f"line {found[0]}: {self._shown(found[1], _SOURCE_MAX)}"

    def _is_quiet(self, line: int | None) -> bool:
        """Whether what the student's code says on this line may quote a hidden test."""
        return self.is_late or self.text.is_quiet(line)

    def _sum(self, check: CheckRun, lines: Sequence[CheckLine]) -> Score:
        points = total(line.points for line in lines)
        found = score_of_number(points, self.points, is_quiet=self._is_quiet(None))
        if found.needs_review:
            return found
        if self._is_stub(check.lines):
            return replace(found, reason=_NO_ANSWER)
        passed = sum(line.is_passed for line in lines)
        if passed == len(lines):
            return replace(found, reason=PASSED)
        return replace(found, reason=f"{passed} of {len(lines)} checks passed.")

    def _is_stub(self, lines: Sequence[CheckLine]) -> bool:
        """Whether every check failed as the stub of an answer makes it.

        A message of the author's stands in the place of the error; where no line tells the error,
        the answer just before has to be the stub.
        """
        if not self.unanswered or any(line.is_passed or line.points for line in lines):
            return False
        told = [line for line in lines if line.message.rstrip(": ") == STUB_ERROR]
        others = [line for line in lines if line not in told]
        known = [self.text.check(line.name) for line in others]
        return bool(told or self.skeleton) and all(item and item.message for item in known)

    def _lines(self, lines: Sequence[CheckLine]) -> Iterator[CheckLine]:
        """Return the checks as students may see them; points are what the examiner counted."""
        number = 0
        for place, line in enumerate(lines, start=1):
            known = self.text.check(line.name)
            is_hidden = known.is_secret if known else self.text.has_hidden
            number += is_hidden
            is_quiet = self.is_late or (self.text.has_hidden and not (known and known.is_before))
            if is_hidden:
                name = f"hidden test {number}"
            elif is_quiet and not (known and known.name == line.name):
                name = f"check {place}"
            else:
                name = self._shown(line.name, _NAME_MAX)
            message = ""
            if not line.is_passed:
                if is_hidden or is_quiet or (known and known.is_tainted):
                    message = self._shown(self._fixed(line, known, is_hidden=is_hidden))
                else:
                    message = self._shown(line.message.removesuffix(": "))
                if is_hidden:
                    message = message or f"Hidden test {number} failed."
            most = _finite(line.max_points)
            points = min(_finite(line.points), most)
            yield CheckLine(name, points, most, message)

    def _fixed(self, line: CheckLine, known: CheckText | None, *, is_hidden: bool) -> str:
        """Return the author's text for a failed check, without anything computed."""
        if known and known.message:
            return known.message
        texts = {text for _, _, text in self.text.messages}
        return line.message if line.message in texts and not is_hidden else ""

    def _records(self, check: CheckRun) -> Iterator[dict[str, Any]]:
        """Return what the test wrote down of examined policies, in the parts that are known."""
        for record in check.records[:_RECORDS_MAX]:
            found: dict[str, Any] = {}
            env_id = record.get("env_id")
            if isinstance(env_id, str):
                text = self.text.visible if self.text.has_hidden else self.given
                is_told = env_id in text or not self._is_quiet(None)
                hidden = "hidden test" if self.text.has_hidden else "examined policy"
                found["env_id"] = self._shown(env_id, _NAME_MAX) if is_told else hidden
            found |= {
                key: float(record[key])
                for key in ("mean", "low", "high")
                if _is_number(record.get(key))
            }
            episodes, returns = record.get("episodes"), record.get("returns")
            if isinstance(episodes, int):
                found["episodes"] = episodes
            if isinstance(returns, Sequence) and all(map(_is_number, returns)):
                found["returns"] = [float(item) for item in returns[:_RETURNS_MAX]]
            yield found

    def _changed(self, check: CheckRun) -> str:
        """Return a sentence about arguments that the reference solution leaves as they are."""
        found = [item for item in check.mutations if item not in self.allowed]
        if not found or check.state is CheckState.TIMEOUT:
            return ""
        if self._is_quiet(None):  # the names are the test's, or the student's
            return " Your code changed an argument in place, which the reference does not."
        named = [_CHANGED.sub(_argument, item) for item in found[:3]]
        told = self._shown(", ".join(named), _SOURCE_MAX)
        return f" Your code changed {told} in place, which the reference does not."

    def _notes(self, check: CheckRun) -> Iterator[str]:
        """Return sentences on what came from the student's code and is not what it looks like."""
        for note in check.notes[:_NOTES_MAX]:
            if not self._is_quiet(None):
                yield f" {self._shown(note, _NOTE_MAX)}"
                continue
            bases = [base for base in _SUBCLASS.findall(note) if base in _PLAIN_BASES]
            if bases:  # the class has a name of the student's
                yield f" Your code gave a subclass of {bases[-1]}; give a plain one."

    def _shown(self, text: str, limit: int = _MESSAGE_MAX) -> str:
        return one_line(presentable(text, 4 * limit, self.secrets), limit)


def _argument(found: re.Match[str]) -> str:
    return f"argument {found[2]}" + (f" of {found[1]}" if found[1] else "")


def _uncounted(line: CheckLine) -> CheckLine:
    if not line.points:
        return line
    return replace(line, points=0.0, message="Not counted: the tests failed outside of it.")


def _with(sentence: str, message: str) -> str:
    return f"{sentence}: {message}" if message else f"{sentence}."


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _finite(value: float) -> float:
    return value if math.isfinite(value) and value > 0 else 0.0
