"""The page to print the cheat sheet from: docs/cheat-sheet.html, made of docs/cheat-sheet.md.

``python benchmarks/course_tables.py`` writes it.
"""

from __future__ import annotations

import mistune

#: How the Markdown ends: with a line about the page made here, which the page does without.
_ABOUT_THE_PAGE = "\n\n*To print"
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>PPO cheat sheet</title>
<style>
@page { size: A4; margin: 9mm 10mm; }
body { font: 8.6pt/1.3 sans-serif; color: #000; background: #fff; }
body { margin: 0 auto; max-width: 190mm; }
h1 { font-size: 14pt; margin: 0; }
h2 { font-size: 10.5pt; margin: 2.2mm 0 0.8mm; break-after: avoid; }
p, ul, ol { margin: 0.6mm 0; }
ul, ol { padding-left: 5mm; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 0.2mm solid #888; padding: 0.35mm 1.5mm 0.35mm 0; text-align: left; }
tr, li { break-inside: avoid; }
code { font-size: 8pt; }
a { color: inherit; }
@media screen { body { font-size: 11pt; padding: 1em; max-width: 60em; } code { font-size: 10pt; } }
</style>
</head>
<body>
"""


def printed(text: str) -> str:
    """Return the Markdown of the cheat sheet as a page to be printed."""
    body = mistune.create_markdown(plugins=["table"])(text.rsplit(_ABOUT_THE_PAGE, 1)[0])
    return f"{_HEAD}{body}</body>\n</html>\n"
