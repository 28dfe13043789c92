"""Containers in which submitted code runs. Nothing else runs it."""
