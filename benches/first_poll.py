#!/usr/bin/env python3
"""Compares the deployed programs of two builds: their sizes, and the time from exec to the first poll for work.

    benches/first_poll.py BEFORE AFTER [--runs 40]

BEFORE and AFTER are directories with `receiver`, `management`, `dispatcher` and `sweeper`, built with the profile `lambda`.
Each program is started with what the template would set, beside a runtime API that notes when it is asked for work. The two
builds take turns, so that both meet the same neighbours; medians are compared, and the least of each is shown beside them.
"""

import argparse
import os
import socket
import statistics
import subprocess
import time
from pathlib import Path

FUNCTIONS = ["receiver", "management", "dispatcher", "sweeper"]
# Nothing of it is reached: no program calls anything before it is given work.
NOWHERE = "http://127.0.0.1:9"
VARIABLES = {
    "CONFIGS_TABLE": "configs",
    "DELIVERIES_TABLE": "deliveries",
    "IDEMPOTENCY_TABLE": "idempotency",
    "INBOUND_QUEUE_URL": f"{NOWHERE}/1/inbound",
    "OUTBOUND_QUEUE_URL": f"{NOWHERE}/1/outbound",
    "KEYRING_SECRET_ID": "keyring",
    "PUBLIC_BASE_URL": "https://hooks.example.com",
    "MAX_BODY_BYTES": "4194304",
    "LEASE_MS": "90000",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
    "AWS_LAMBDA_LOG_GROUP_NAME": "group",
}


def first_poll(program: Path) -> float:
    """Starts a program and gives the milliseconds until it asks for work."""
    with socket.create_server(("127.0.0.1", 0)) as api:
        api.settimeout(20)
        host = f"127.0.0.1:{api.getsockname()[1]}"
        variables = VARIABLES | {"AWS_LAMBDA_RUNTIME_API": host}
        begun = time.perf_counter()
        process = subprocess.Popen([program], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            connection, _ = api.accept()
            with connection:
                request = connection.recv(4096)
                took = time.perf_counter() - begun
        except TimeoutError:
            process.kill()
            output = process.communicate()[0].decode()
            raise SystemExit(f"{program} never asked for work: {output}") from None
        process.kill()
        process.communicate()
    if b"/invocation/next" not in request:
        raise SystemExit(f"{program} asked for something else: {request!r}")
    return took * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    arguments = parser.parse_args()
    print("| function | bytes before | after | ratio | ms to first poll before (least) | after (least) | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in FUNCTIONS:
        before, after = arguments.before / name, arguments.after / name
        sizes = [os.path.getsize(program) for program in (before, after)]
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(arguments.runs):
            times[0].append(first_poll(before))
            times[1].append(first_poll(after))
        medians = [statistics.median(of_build) for of_build in times]
        least = [min(of_build) for of_build in times]
        print(
            f"| {name} | {sizes[0]:,} | {sizes[1]:,} | {sizes[1] / sizes[0]:.3f} "
            f"| {medians[0]:.1f} ({least[0]:.1f}) | {medians[1]:.1f} ({least[1]:.1f}) | {medians[1] / medians[0]:.2f} |"
        )


if __name__ == "__main__":
    main()
