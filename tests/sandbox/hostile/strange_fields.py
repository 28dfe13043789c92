# verdict: ran
# program: raised
# ruff: noqa
# has NUL, lone surrogates and bidi marks in every text that it sends
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

text = rb"\u0000\ud800\udfff\u202e\ufffe\u2028"
contents = {
    "stream": b'{"name": "stdout", "text": "%s"}',
    "error": b'{"ename": "%s", "evalue": "%s", "traceback": ["%s"]}',
    "display_data": b'{"data": {"text/%s": "%s"}, "metadata": {"%s": "%s"}, '
    b'"transient": {"display_id": "%s"}}',
    "%s": b'{"%s": "%s"}',
}
for kind, content in contents.items():
    header = session.pack(session.msg_header("kind")).replace(b"kind", kind.encode())
    parts = [header.replace(b"%s", text), session.pack(parent), b"{}", content.replace(b"%s", text)]
    kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
