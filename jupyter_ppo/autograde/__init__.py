"""From a notebook to a grade: release, check, restore, run, score, feedback page."""
