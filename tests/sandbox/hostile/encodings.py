# verdict: ran
# program: succeeded
# ruff: noqa
# changes how text is written and read
import builtins
import codecs
import io
import locale
import sys

locale.setlocale(locale.LC_ALL, "C")
codecs.register(lambda name: None)
for stream in (sys.stdout, sys.stderr):
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-16", errors="surrogatepass")
sys.stdout.write("\udcff\x00\ufeff")
io.open = builtins.open = lambda *a, **k: io.StringIO("forged")
sys.path.clear()
