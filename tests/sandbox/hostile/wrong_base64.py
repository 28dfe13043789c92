# verdict: ran
# program: succeeded
# ruff: noqa
# shows images that are none
from IPython.display import display

for data in ("not base64 !!", "", "AAAA", "\x00", "<script>alert(1)</script>"):
    for mime in ("image/png", "image/jpeg", "image/svg+xml", "application/pdf"):
        display({mime: {"x": data} if mime.endswith("+json") else data}, raw=True)
