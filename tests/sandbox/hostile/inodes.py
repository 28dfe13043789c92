# verdict: ran
# program: succeeded
# ruff: noqa
# makes empty files until it cannot
import errno

for folder in ("/tmp", "/dev/shm"):
    made = 0
    try:
        while made < 100_000:
            open(f"{folder}/i{made}", "w").close()
            made += 1
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    assert made < 512, (folder, made)
