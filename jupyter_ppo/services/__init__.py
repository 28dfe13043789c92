"""Use cases. Each is what a student, an instructor or a job asks for."""
