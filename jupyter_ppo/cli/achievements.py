"""``jupyter ppo achievements``."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.cli.times import shown
from jupyter_ppo.domain.achievement_rules import rule_data, rules_from
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.services.achievements import AchievementItem
from jupyter_ppo.services.credentials import keys_from, verify_credential


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    achievements = commands.add_parser(
        "achievements", help="what students have shown, its rules, and signed records of it"
    )
    verbs = achievements.add_subparsers(metavar="verb", required=True)
    listing = verbs.add_parser("list", help="list what a person has and can reach")
    listing.add_argument("course")
    listing.add_argument("--user", help="default: you")
    listing.set_defaults(run=_list)

    rules = verbs.add_parser("rules", help="what achievements are given for")
    rule_verbs = rules.add_subparsers(metavar="verb", required=True)
    show = rule_verbs.add_parser("show", help="print the rules that are in force, as JSON")
    show.add_argument("course")
    show.set_defaults(run=_show_rules)
    change = rule_verbs.add_parser("set", help="put new rules in force and evaluate everybody")
    change.add_argument("course")
    change.add_argument("file", help="JSON, as 'jupyter ppo achievements rules show' prints it")
    change.set_defaults(run=_set_rules)

    download = verbs.add_parser("download", help="write a signed record (Open Badges 3.0, JWT)")
    download.add_argument("award", help="the id, as 'jupyter ppo achievements list' prints it")
    download.add_argument("--out", help="file to write; default: printed")
    download.set_defaults(run=_download)

    verify = verbs.add_parser("verify", help="check a signed record, without any server")
    verify.add_argument("file")
    verify.add_argument(
        "--key", help="file with the issuer's public keys, as 'achievements key' prints them there"
    )
    verify.add_argument("--identity", help="username or e-mail address that it must be about")
    verify.set_defaults(run=_verify)

    key = verbs.add_parser("key", help="print the public keys of this server as a JWK set")
    key.set_defaults(run=_key)


def _list(arguments: argparse.Namespace, context: Context) -> int:
    service = context.service.use_cases.achievements
    if arguments.user is None:
        found = service.own(context.caller, arguments.course)
    else:
        found = service.of_student(context.caller, arguments.course, arguments.user)
    for item in found.items:
        print(_line(item))
    if not found.items:
        print("there is no achievement that the assignments of this course could give")
    return 0


def _line(item: AchievementItem) -> str:
    rule, award = item.rule, item.award
    if award is not None and award.revoked_at is None:
        return f"earned   {shown(award.awarded_at)}  {visible(rule.title)}  {award.id}"
    progress = f"{item.progress.met} of {item.progress.of} {item.progress.unit}"
    if award is not None:
        why = f"{shown(award.revoked_at)}: {visible(award.revoked_because)}"
        return f"revoked  {visible(rule.title)}  {progress}  {why}"
    return f"open     {visible(rule.title)}  {progress}"


def _show_rules(arguments: argparse.Namespace, context: Context) -> int:
    edition = context.service.use_cases.achievements.rules(context.caller, arguments.course)
    rules = [rule_data(rule) for rule in edition.rules]
    print(json.dumps({"number": edition.number, "rules": rules}, indent=2, ensure_ascii=False))
    return 0


def _set_rules(arguments: argparse.Namespace, context: Context) -> int:
    try:
        document = json.loads(read_file(arguments.file))
    except (ValueError, RecursionError) as error:
        msg = f"file: {arguments.file!r} is not JSON."
        raise InvalidInputError(msg, field="file") from error
    rules = rules_from(document.get("rules") if isinstance(document, dict) else document)
    service = context.service.use_cases.achievements
    seen = _seen(document)
    change = service.set_rules(context.caller, arguments.course, rules, seen)
    print(
        f"edition {change.edition.number} is in force: {change.evaluation.awarded} awarded, "
        f"{change.evaluation.revoked} revoked"
    )
    for warning in change.warnings:
        print(f"nobody can meet {visible(warning)}")
    return 0


def _seen(document: object) -> int | None:
    """Return the edition that the rules were made from, None when the file does not say it."""
    number = document.get("number") if isinstance(document, dict) else None
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        msg = "number: use the number of the edition that you saw, or leave it out."
        raise InvalidInputError(msg, field="number")
    return number


def _download(arguments: argparse.Namespace, context: Context) -> int:
    try:
        award = UUID(arguments.award)
    except ValueError as error:
        msg = f"award: there is no award {arguments.award[:80]!r}."
        raise NotFoundError(msg, field="award") from error
    signed = context.service.use_cases.credentials.credential(context.caller, award)
    if arguments.out is None:
        print(signed.token)
    else:
        Path(arguments.out).write_text(signed.token, encoding="ascii")
        print(f"written: {arguments.out}")
    return 0


def _verify(arguments: argparse.Namespace, _: Context) -> int:
    token = read_file(arguments.file).decode("ascii", errors="replace").strip()
    keys = None if arguments.key is None else keys_from(read_file(arguments.key))
    checked = verify_credential(token, datetime.now(UTC), keys=keys, identity=arguments.identity)
    facts = checked.facts
    print(f"valid: {_one_line(facts.title)}")
    print(_one_line(facts.description))
    print(f"issued by {_one_line(facts.issuer.name)} ({_one_line(facts.issuer.id)})")
    print(f"awarded {shown(facts.valid_from)}")
    for line in (*facts.criteria.splitlines(), *facts.evidence):
        print(f"  {_one_line(line)}")
    if arguments.identity is not None:
        print(f"it is about {_one_line(arguments.identity)}")
    print(f"signed with the key {checked.key}")
    if not checked.is_known_key:
        print(
            "warning: anyone may have made this key. Give the issuer's with --key to know that "
            "it is theirs.",
            file=sys.stderr,
        )
    return 0


def _one_line(text: str) -> str:
    """Return a stranger's text so that it cannot look like a line of ours."""
    return " ".join(visible(text).split())


def _key(_: argparse.Namespace, context: Context) -> int:
    print(json.dumps({"keys": list(context.service.use_cases.credentials.keys())}, indent=2))
    return 0
