"""The command ``jupyter ppo``: what the REST API does, from a terminal.

Commands use the same services and the same settings as the server (``jupyter_server_config`` files
and ``--PPOService.<name>=<value>``). Exit status: 0 done, 1 an error that the message explains,
2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        # Here, because it takes a second or two, and Ctrl-C may come by then.
        from jupyter_ppo.cli.parser import run_command

        return run_command(argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
