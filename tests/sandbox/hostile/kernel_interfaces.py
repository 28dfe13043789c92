# verdict: ran
# program: succeeded
# ruff: noqa
# tries every door of the kernel that a notebook does not need
import ctypes
import errno
import platform

libc = ctypes.CDLL(None, use_errno=True)


def refused(number, *arguments):
    """Whether the kernel refuses a call as if it were not there or not permitted."""
    ctypes.set_errno(0)
    assert libc.syscall(number, *arguments) == -1, number
    return ctypes.get_errno() in {errno.EPERM, errno.EACCES, errno.ENOSYS}


if platform.machine() == "x86_64":
    buffer = ctypes.create_string_buffer(256)
    none = ctypes.c_void_p(None)
    calls = {
        "add_key": (248, b"user", b"x", b"x", 1, -3),
        "request_key": (249, b"user", b"x", none, -3),
        "keyctl": (250, 0, -3, 0),
        "bpf": (321, 0, buffer, 64),
        "perf_event_open": (298, buffer, 0, -1, -1, 0),
        "userfaultfd": (323, 0),
        "io_uring_setup": (425, 8, buffer),
        "io_uring_enter": (426, 0, 0, 0, 0, none),
        "memfd_secret": (447, 0),
        "mq_open": (240, b"/queue", 66, 0o600, none),
        "shmget": (29, 0, 4096, 0o1600),
        "semget": (64, 0, 1, 0o1600),
        "msgget": (68, 0, 0o1600),
        "personality": (135, 0x0040000),
        "quotactl": (179, 0, none, 0, none),
        "kexec_load": (246, 0, 0, none, 0),
        "init_module": (175, buffer, 16, b""),
        "finit_module": (313, 0, b"", 0),
        "delete_module": (176, b"x", 0),
        "reboot": (169, 0xFEE1DEAD, 672274793, 0, none),
        "acct": (163, none),
        "syslog": (103, 3, buffer, 256),
        "iopl": (172, 3),
        "ioperm": (173, 0x70, 2, 1),
        "open_by_handle_at": (304, -100, buffer, 0),
        "fanotify_init": (300, 0, 0),
        "lookup_dcookie": (212, 0, buffer, 256),
        "vhangup": (153,),
        "sethostname": (170, b"x", 1),
    }
    allowed = [name for name, call in calls.items() if not refused(*call)]
    assert not allowed, allowed
