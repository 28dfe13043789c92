# verdict: ran
# program: succeeded
# ruff: noqa
# fills every writable folder
import errno

for folder, size in (("/tmp", 16), ("/dev/shm", 16), ("/home/student", 16)):
    written = 0
    try:
        for number in range(10_000):
            with open(f"{folder}/f{number}", "wb") as file:
                written += file.write(b"x" * 2**20)
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    assert written <= size * 2**20, (folder, written)
