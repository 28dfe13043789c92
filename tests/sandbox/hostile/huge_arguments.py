# verdict: ran
# program: succeeded
# ruff: noqa
# starts programs with megabytes of arguments and environment
import errno
import subprocess

for arguments, environment in (
    (["/bin/true", "x" * 10**6], {}),
    (["/bin/true", *["x" * 10_000] * 1000], {}),
    (["/bin/true"], {f"V{number}": "x" * 10_000 for number in range(1000)}),
):
    try:
        subprocess.run(arguments, env=environment)
    except OSError as error:
        assert error.errno == errno.E2BIG, error
    else:
        raise AssertionError(len(arguments))
