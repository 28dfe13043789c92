"""What language models are asked, and what becomes of their answers; nothing of a server."""
