# verdict: ran
# program: succeeded
# ruff: noqa
# writes what steers a terminal
print("\x1b]0;title\x07\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07\x1b[?1049h")
print("\x1bP+q544e\x1b\\ \x1b[6n \x9b31m \x1b]52;c;cm0gLXJm\x07 \x08\x08\x08 \r over")
