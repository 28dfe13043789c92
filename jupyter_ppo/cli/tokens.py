"""``jupyter ppo token``: API tokens, for programs that use this service."""

from __future__ import annotations

import argparse
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.api_tokens import (
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_HOURS,
    MAX_DAYS,
    TOKEN_ROLES,
    ApiToken,
    TokenAccess,
)
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.services.api_tokens import MadeToken
from jupyter_ppo.services.paging import every_page

_PAGE = 200


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    token = commands.add_parser("token", help="API tokens, for programs")
    verbs = token.add_subparsers(metavar="verb", required=True)

    create = verbs.add_parser("create", help="make one; its secret is printed this once")
    create.add_argument("course")
    create.add_argument("name", help="what it is for")
    create.add_argument(
        "--role", choices=[str(role) for role in TOKEN_ROLES], default=str(Role.STUDENT)
    )
    create.add_argument("--write", action="store_true", help="for changing things, too")
    create.add_argument(
        "--days", type=int, default=DEFAULT_DAYS, help=f"1 to {MAX_DAYS} (%(default)s)"
    )
    create.add_argument("--user", help="whose it is to be; your own if left out")
    create.set_defaults(run=_create)

    listed = verbs.add_parser("list", help="your own, or with a course everybody's for it")
    listed.add_argument("course", nargs="?")
    listed.set_defaults(run=_list)

    rotate = verbs.add_parser("rotate", help="make a new one in the place of one of your own")
    rotate.add_argument("id")
    rotate.add_argument(
        "--overlap-hours",
        type=float,
        default=DEFAULT_OVERLAP_HOURS,
        help="how long the old one stays good (%(default)s)",
    )
    rotate.set_defaults(run=_rotate)

    revoke = verbs.add_parser("revoke", help="end one of your own, or with --course anybody's")
    revoke.add_argument("id")
    revoke.add_argument("--course")
    revoke.set_defaults(run=_revoke)


def _create(arguments: argparse.Namespace, context: Context) -> int:
    made = context.service.use_cases.api_tokens.create(
        context.caller,
        arguments.course,
        arguments.name,
        role=Role(arguments.role),
        access=TokenAccess.WRITE if arguments.write else TokenAccess.READ,
        days=arguments.days,
        user=arguments.user,
    )
    _print_made(made)
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    tokens, caller = context.service.use_cases.api_tokens, context.caller
    if arguments.course is None:
        found = every_page(lambda offset: tokens.mine(caller, offset=offset, limit=_PAGE))
    else:
        course = arguments.course
        found = every_page(
            lambda offset: tokens.of_course(caller, course, offset=offset, limit=_PAGE)
        )
    for token in found:
        _print(token)
    return 0


def _rotate(arguments: argparse.Namespace, context: Context) -> int:
    tokens = context.service.use_cases.api_tokens
    _print_made(tokens.rotate(context.caller, _id(arguments.id), arguments.overlap_hours))
    return 0


def _revoke(arguments: argparse.Namespace, context: Context) -> int:
    tokens, wanted = context.service.use_cases.api_tokens, _id(arguments.id)
    if arguments.course is None:
        _print(tokens.revoke(context.caller, wanted))
    else:
        _print(tokens.revoke_in_course(context.caller, arguments.course, wanted))
    return 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"id: {text[:40]!r} is no id of a token. Use one that 'jupyter ppo token list' shows."
        raise InvalidInputError(msg, field="id") from None


def _print_made(made: MadeToken) -> None:
    _print(made.token)
    print(made.secret)
    print("Keep it as you keep a password: it is not shown again.")


def _print(token: ApiToken) -> None:
    used = f"used {token.uses} times" if token.uses else "never used"
    if token.revoked_at is not None:
        end = f"revoked {token.revoked_at:%Y-%m-%d %H:%M}"
    else:
        end = f"expires {token.expires_at:%Y-%m-%d %H:%M}"
    print(
        f"{token.id}  {visible(token.user)}  {token.course}  {token.role}  {token.access}  "
        f"{end}  {used}  {visible(token.name)}"
    )
