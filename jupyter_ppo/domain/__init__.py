"""Words and rules of the course. Standard library only."""
