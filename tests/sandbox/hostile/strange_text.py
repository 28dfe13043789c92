# verdict: ran
# program: raised
# ruff: noqa
# prints what is not text
print("\ud800 \x00 \u202e \x1b]0;title\x07")
