"""``jupyter ppo leaderboard``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import groupby

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.leaderboard import LeaderboardEntry

_PAGE = 500


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    board = commands.add_parser(
        "leaderboard", help="show the best policies of those who joined, by pseudonym"
    )
    board.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    board.add_argument("assignment", nargs="?", help="only this assignment; default: all of them")
    board.add_argument("--env", help="only this environment, for example CartPole-v1")
    board.set_defaults(run=_leaderboard)


def _leaderboard(arguments: argparse.Namespace, context: Context) -> int:
    entries = list(_entries(arguments, context))
    if not entries:
        print(
            "nobody is on the leaderboard yet: students join at the end of the PPO Course panel in "
            f"JupyterLab, or with the REST API's PUT /courses/{arguments.course}/leaderboard/me; "
            "they are listed when a test that examines their policy is graded"
        )
    for (assignment, env_id), group in groupby(
        entries, key=lambda entry: (entry.result.assignment, entry.result.env_id)
    ):
        print(f"{assignment}, {env_id}")
        print(_table(list(group)))
    return 0


def _entries(arguments: argparse.Namespace, context: Context) -> Iterator[LeaderboardEntry]:
    offset = 0
    while True:
        page = context.service.use_cases.leaderboards.leaderboard(
            context.caller,
            arguments.course,
            assignment=arguments.assignment,
            env_id=arguments.env,
            offset=offset,
            limit=_PAGE,
        ).page
        yield from page.items
        offset += len(page.items)
        if not page.items or offset >= page.total:
            return


def _table(entries: list[LeaderboardEntry]) -> str:
    lines = [("rank", "pseudonym", "mean return", "95 % interval", "episodes")]
    for entry in entries:
        found = entry.result
        interval = f"{found.low:.1f} to {found.high:.1f}"
        rank, episodes = str(entry.rank), str(found.episodes)
        lines.append((rank, found.pseudonym, f"{found.mean:.1f}", interval, episodes))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  " + "  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
