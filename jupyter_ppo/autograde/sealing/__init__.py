"""Which test cells can be run apart from the student, and what of a notebook is whose."""
