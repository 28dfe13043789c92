"""``python -m jupyter_ppo.cli``: the same as ``jupyter ppo``."""

from __future__ import annotations

from jupyter_ppo.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
