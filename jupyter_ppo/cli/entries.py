"""``jupyter ppo entry``: work that people judge by a rubric."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from jupyter_ppo.autograde.archive import ArchivedFile
from jupyter_ppo.autograde.entry_document import definition_of, read_definition
from jupyter_ppo.autograde.run_evidence import run_from_folder
from jupyter_ppo.autograde.text import visible
from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.domain.entries import (
    EntryContent,
    EntryDefinition,
    Outcome,
    OutcomeChange,
)
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.services.outcome_view import OutcomeView, ResultInput


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    entry = commands.add_parser("entry", help="texts, code, files and runs judged by a rubric")
    parts = entry.add_subparsers(metavar="command", required=True)

    define = parts.add_parser("define", help="release a definition as an entry's next version")
    _add_names(define)
    define.add_argument(
        "definition", help="a TOML or JSON file: title, instructions, parts, rubric"
    )
    define.add_argument("--note", default="", help="what is new in this version")
    define.set_defaults(run=_define)

    show = parts.add_parser("show", help="show what an entry asks for and its rubric")
    _add_names(show)
    show.set_defaults(run=_show)

    submit = parts.add_parser("submit", help="hand in an entry as yourself")
    _add_names(submit)
    submit.add_argument("--title", default="", help="a title of your own")
    submit.add_argument("--text", metavar="FILE", help="a Markdown file")
    submit.add_argument("--code", metavar="FILE", help="a file of Python")
    submit.add_argument(
        "--file", metavar="FILE", action="append", default=[], help="any file; may be repeated"
    )
    submit.add_argument("--zip", metavar="FILE", help="an archive of files, in place of the others")
    submit.add_argument(
        "--run", metavar="FOLDER", dest="run_folder", help="a training run's folder"
    )
    submit.add_argument(
        "--returns",
        metavar="FILE",
        help="a JSON list of returns of an evaluation of that run, one for each episode",
    )
    submit.set_defaults(run=_submit)

    read = parts.add_parser("read", help="show what was handed in; for graders and its student")
    read.add_argument("submission", help="the id of the submission")
    read.add_argument("--save", metavar="FOLDER", help="write its files into this new folder")
    read.set_defaults(run=_read)

    outcome = parts.add_parser("outcome", help="show an outcome, or write, approve, release it")
    outcome.add_argument("submission", help="the id of the submission")
    what = outcome.add_mutually_exclusive_group()
    what.add_argument(
        "--write", metavar="FILE", help="a TOML or JSON file: results, summary, private_note"
    )
    for change in OutcomeChange:
        what.add_argument(
            f"--{change}",
            dest="change",
            action="store_const",
            const=change,
            help=f"{change} the outcome as it is stored now",
        )
    outcome.set_defaults(run=_outcome)

    release = parts.add_parser("release", help="release every approved outcome of an entry")
    _add_names(release)
    release.set_defaults(run=_release)


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    parser.add_argument("entry", help="the entry's name")


def _define(arguments: argparse.Namespace, context: Context) -> int:
    data = read_file(arguments.definition)
    if arguments.definition.endswith(".toml"):
        definition = definition_of(_toml(data, "definition"))
    else:
        definition = read_definition(data)
    view = context.service.use_cases.entries.define(
        context.caller, arguments.course, arguments.entry, definition, remark=arguments.note
    )
    print(
        f"{view.assignment.name} version {view.assignment.version.number} released: "
        f"{len(definition.rubric)} criteria, {definition.max_points:g} points, "
        f"asks for {', '.join(definition.parts)}"
    )
    return 0


def _toml(data: bytes, field: str) -> dict[str, object]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{field}: this is not TOML: {error}."
        raise InvalidInputError(msg, field=field) from error


def _show(arguments: argparse.Namespace, context: Context) -> int:
    view = context.service.use_cases.entries.entry(
        context.caller, arguments.course, arguments.entry
    )
    definition = view.definition
    print(f"{definition.title} (version {view.assignment.version.number})")
    print(f"hand in: {', '.join(definition.parts)}")
    if definition.instructions:
        print(f"\n{definition.instructions.strip()}\n")
    _print_rubric(definition)
    return 0


def _print_rubric(definition: EntryDefinition) -> None:
    for criterion in definition.rubric:
        print(f"{criterion.name}: {criterion.title}, {criterion.max_points:g} points")
        for level in criterion.levels:
            described = f": {level.description}" if level.description else ""
            print(f"  {level.points:g}  {level.name}{described}")
        if criterion.note:
            print(f"  note for the staff: {criterion.note}")


def _submit(arguments: argparse.Namespace, context: Context) -> int:
    entries = context.service.use_cases.entries
    if arguments.zip is not None:
        if arguments.text or arguments.code or arguments.file or arguments.run_folder:
            msg = "zip: an archive is handed in alone; its text.md and code.py are text and code."
            raise InvalidInputError(msg, field="zip")
        data = read_file(arguments.zip)
        made = entries.submit_archive(context.caller, arguments.course, arguments.entry, data)
    else:
        run = None
        if arguments.run_folder:
            returns = _returns(arguments.returns) if arguments.returns else ()
            run = run_from_folder(Path(arguments.run_folder), returns)
        content = EntryContent(
            title=arguments.title,
            text=_text_of(arguments.text),
            code=_text_of(arguments.code),
            run=run,
        )
        files = [ArchivedFile(Path(path).name, read_file(path)) for path in arguments.file]
        made = entries.submit(context.caller, arguments.course, arguments.entry, content, files)
    when = made.submitted_at.isoformat(timespec="seconds")
    print(f"received {made.assignment_name} attempt {made.attempt} of {made.user} at {when}")
    print(f"  id      {made.id}\n  sha256  {made.digest}")
    return 0


def _returns(path: str) -> list[float]:
    try:
        found = json.loads(read_file(path))
    except ValueError as error:
        msg = f"returns: {path!r} is not JSON. Write a list of numbers, such as [500.0, 493.0]."
        raise InvalidInputError(msg, field="returns") from error
    if not isinstance(found, list):
        msg = f"returns: {path!r} is not a list. Write numbers, such as [500.0, 493.0]."
        raise InvalidInputError(msg, field="returns")
    return found


def _text_of(path: str | None) -> str:
    if path is None:
        return ""
    try:
        return read_file(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        msg = f"{path!r} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        raise InvalidInputError(msg, field="text") from error


def _read(arguments: argparse.Namespace, context: Context) -> int:
    submission = _id(arguments.submission)
    entries = context.service.use_cases.entries
    found = entries.content(context.caller, submission)
    content = found.content
    title = visible(content.title)
    print(f"{found.submission.assignment_name} attempt {found.submission.attempt}: {title}")
    for text in (content.text, content.code):
        if text:
            print(f"\n{visible(text).rstrip()}")
    for file in content.files:
        print(f"file {file.name}, {file.size:,} bytes, sha256 {file.digest}")
    if content.run is not None:
        print("training run, as the student says:")
        print(json.dumps(content.run, indent=2))
    if arguments.save is not None:
        root = _new_folder(arguments.save)
        for file in content.files:  # names were checked when they came: none leaves the folder
            target = root / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as opened:
                opened.write(entries.file(context.caller, submission, file.name))
        print(f"{len(content.files)} files written to {root}")
    return 0


def _new_folder(path: str) -> Path:
    root = Path(path)
    try:
        root.mkdir(parents=True)
    except FileExistsError as error:
        msg = f"{path!r} exists already; choose another name."
        raise ConflictError(msg, field="save") from error
    return root


def _outcome(arguments: argparse.Namespace, context: Context) -> int:
    submission = _id(arguments.submission)
    outcomes = context.service.use_cases.outcomes
    view = outcomes.outcome(context.caller, submission)
    seen = view.outcome.revision if view.outcome else 0
    if arguments.write is not None:
        results, words = _written(arguments.write)
        view = outcomes.write(context.caller, submission, results, **words, revision=seen)
    elif arguments.change is not None:
        view = outcomes.change(context.caller, submission, arguments.change, revision=seen)
    if view.outcome is None:
        print("nothing is written about this submission yet; its rubric:")
        _print_rubric(view.definition)
    else:
        _print_outcome(view, view.outcome)
    return 0


def _written(path: str) -> tuple[list[ResultInput], dict[str, str]]:
    """Return the results in a file, and its ``summary`` and ``private_note``."""
    data = read_file(path)
    if path.endswith(".toml"):
        found: object = _toml(data, "outcome")
    else:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            msg = f"outcome: {path!r} is not JSON: {error}."
            raise InvalidInputError(msg, field="outcome") from error
    if not isinstance(found, dict) or set(found) - {"results", "summary", "private_note"}:
        _refuse("Write results, summary and private_note.")
    results = found.get("results", [])
    words = {name: found[name] for name in ("summary", "private_note") if name in found}
    if not isinstance(results, list) or not all(isinstance(text, str) for text in words.values()):
        _refuse("Write results as a list, summary and private_note as texts.")
    return [_result(item) for item in results], words


def _result(item: object) -> ResultInput:
    known = {"criterion", "level", "points", "comment"}
    if not isinstance(item, dict) or set(item) - known or {"criterion", "level"} - set(item):
        _refuse("Each result has a criterion and a level, and may have points and a comment.")
    points, comment = item.get("points"), item.get("comment", "")
    is_number = isinstance(points, int | float) and not isinstance(points, bool)
    texts = (item["criterion"], item["level"], comment)
    if not all(isinstance(text, str) for text in texts) or not (points is None or is_number):
        _refuse("A result's points are a number; all else is text.")
    return ResultInput(item["criterion"], item["level"], points, comment)


def _refuse(remedy: str) -> NoReturn:
    msg = f"outcome: this file cannot be used. {remedy}"
    raise InvalidInputError(msg, field="outcome")


def _print_outcome(view: OutcomeView, outcome: Outcome) -> None:
    print(
        f"{outcome.state}, revision {outcome.revision}: {outcome.points:g} of "
        f"{view.definition.max_points:g} points"
    )
    if view.is_staff:
        approved = f", approved by {outcome.approved_by}" if outcome.approved_by else ""
        print(f"written by {outcome.author} ({outcome.author_kind}){approved}")
    for result in outcome.results:
        said = f": {result.comment}" if result.comment else ""
        print(f"  {result.points:g}  {result.criterion}, {result.level}{said}")
    if outcome.summary:
        print(f"\n{outcome.summary.rstrip()}")
    if view.is_staff and outcome.private_note:
        print(f"\nnote for the staff: {outcome.private_note.rstrip()}")


def _release(arguments: argparse.Namespace, context: Context) -> int:
    count = context.service.use_cases.outcomes.release_approved(
        context.caller, arguments.course, arguments.entry
    )
    print(f"{count} outcomes released")
    return 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"submission: there is no submission {text[:80]!r}."
        raise NotFoundError(msg, field="submission") from None
