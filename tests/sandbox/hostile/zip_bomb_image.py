# verdict: ran
# program: succeeded
# ruff: noqa
# shows an image that would unpack to 100 MB
import base64
import zlib

from IPython.display import display

packed = zlib.compress(bytes(100_000_000), 9)
display({"image/png": base64.b64encode(packed).decode()}, raw=True)
