"""The precomputed ablations that are part of the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.ablations import AblationResult
from jupyter_ppo.domain.details import detail_of
from jupyter_ppo.domain.errors import DamagedFileError, InvalidInputError

#: One file for each detail that was measured, ``core-5.json``; ``benchmarks/ablations.py`` writes.
ABLATION_FOLDER: Final = Path(__file__).with_name("ablation_data")


def load_ablation(key: str, folder: Path = ABLATION_FOLDER) -> AblationResult | None:
    """Return what the ablation of a detail found; None when it was not measured yet.

    Raises ``NotFoundError`` (field ``key``) when there is no such detail, and ``DamagedFileError``.
    """
    path = folder / f"{detail_of(key).key}.json"
    try:
        return AblationResult.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, InvalidInputError) as error:
        msg = f"{path.name} is damaged: {error}"
        raise DamagedFileError(msg) from None
