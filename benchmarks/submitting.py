"""How long a receipt takes: notebooks handed in over HTTP, by one person and by eight at once.

``python benchmarks/submitting.py [folder]`` works on the class of ``gradebook.py`` (1,200 students,
12 assignments, 3 attempts each) and hands in the bundled assignment; nobody grades meanwhile.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from class_of_30 import SOURCE
from gradebook import Server, with_server

REQUESTS, REPEATS = 200, 3
PLACE = "/courses/rl/assignments/sitting"


def receipt(server: Server, notebook: bytes) -> float:
    """Hand in; return the seconds until the receipt, which names a hash."""
    began = time.perf_counter()
    answer = json.loads(server.send("POST", f"{PLACE}/submissions", notebook))
    seconds = time.perf_counter() - began
    if len(answer["digest"]) != 64:
        sys.exit("This is no receipt.")
    return seconds


def measure(server: Server) -> None:
    """Print p50 and p99 in milliseconds and receipts per second, for each number of people."""
    server.send("PUT", PLACE, SOURCE.read_bytes())
    notebook = server.get(f"{PLACE}/notebook")
    receipt(server, notebook)
    print("| people at once | p50 ms | p99 ms | receipts per second |\n| --- | --- | --- | --- |")
    for people in (1, 8):
        for _ in range(REPEATS):
            began = time.perf_counter()
            with ThreadPoolExecutor(people) as pool:
                times = sorted(pool.map(lambda _: receipt(server, notebook), range(REQUESTS)))
            rate = REQUESTS / (time.perf_counter() - began)
            p50, p99 = statistics.median(times), times[round(0.99 * REQUESTS) - 1]
            print(f"| {people} | {1000 * p50:.0f} | {1000 * p99:.0f} | {rate:.0f} |")


if __name__ == "__main__":
    with_server(measure)
