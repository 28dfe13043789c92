# verdict: ran
# program: raised
# ruff: noqa
# asks the client to run code and to end the kernel
shell = get_ipython()
shell.set_next_input("import os", replace=False)
for source in ("ask_exit", "edit_magic", "page", "load"):
    shell.payload_manager.write_payload(
        {"source": source, "keepkernel": False, "filename": "/etc/passwd", "data": {}}
    )
