"""Turns the JSON lines of whbench into a Markdown table, one row for each case.

Figures are medians over the runs of a case, peak RSS and foreign cores the highest, counts of what went wrong sums.
No run is left out: what is wrong with one is said under the table.
"""

import json
import statistics
import sys

# Cores kept busy by others, above which a run says more about them than about the gateway.
FOREIGN_LIMIT = 0.25

HEAD = (
    "case",
    "body",
    "accept/s",
    "accept p50 ms",
    "accept p99 ms",
    "deliveries/s",
    "delivery p50 ms",
    "delivery p99 ms",
    "errors",
    "missing",
    "duplicates",
    "CPU s/1,000",
    "× ceiling",
    "peak RSS MiB",
    "foreign cores",
)


def at(record, *path):
    """Reads a nested member; None where a case has none, such as the deliveries of an accept-only run."""
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def over(records, combine, *path):
    values = [value for value in (at(record, *path) for record in records) if value is not None]
    return combine(values) if values else None


def number(value, digits):
    return "–" if value is None else f"{value:,.{digits}f}"


def size(payload_bytes):
    return f"{payload_bytes // 1024} KiB" if payload_bytes % 1024 == 0 else f"{payload_bytes} B"


def row(name, payload_bytes, records, ceiling_cpu):
    median = statistics.median
    cpu = over(records, median, "cpu_s_per_1000")
    ratio = cpu / ceiling_cpu if cpu is not None and ceiling_cpu else None
    return (
        name,
        size(payload_bytes),
        number(over(records, median, "accept_per_s"), 0),
        number(over(records, median, "accept_latency", "p50_ms"), 2),
        number(over(records, median, "accept_latency", "p99_ms"), 2),
        number(over(records, median, "delivery", "per_s"), 0),
        number(over(records, median, "delivery", "latency", "p50_ms"), 2),
        number(over(records, median, "delivery", "latency", "p99_ms"), 2),
        number(over(records, sum, "errors"), 0),
        number(over(records, sum, "delivery", "missing"), 0),
        number(over(records, sum, "delivery", "duplicates"), 0),
        number(cpu, 3),
        number(ratio, 1),
        number(over(records, max, "procs", "server", "peak_rss_mib"), 1),
        number(over(records, max, "foreign_cores"), 2),
    )


def complaints(record):
    if record["errors"]:
        yield f"{record['errors']} requests not accepted, statuses {json.dumps(record['statuses'])}"
    if at(record, "io_error"):
        yield f"connection error: {record['io_error']}"
    if record["foreign_cores"] > FOREIGN_LIMIT:
        yield f"others kept {record['foreign_cores']:.2f} cores busy: repeat it on an idle machine"
    delivery = at(record, "delivery")
    if delivery is None:
        return
    if not delivery["complete"]:
        yield f"not all deliveries came in time, {delivery['missing']} missing"
    if delivery["bad_sig"]:
        yield f"{delivery['bad_sig']} of {delivery['verified'] + delivery['bad_sig']} checked signatures were wrong"
    if delivery["deliveries"] and not delivery["verified"]:
        yield "no signature was verified"
    if delivery["other_run"] or delivery["unknown"]:
        yield f"{delivery['other_run']} deliveries of an earlier run, {delivery['unknown']} not understood"


def table(records):
    cases = {}
    for record in records:
        cases.setdefault((record["name"], record["payload_bytes"]), []).append(record)
    ceilings = {
        payload_bytes: over(runs, statistics.median, "cpu_s_per_1000")
        for (name, payload_bytes), runs in cases.items()
        if name == "ceiling"
    }
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|" + "---:|" * (len(HEAD) - 2)]
    for (name, payload_bytes), runs in cases.items():
        lines.append("| " + " | ".join(row(name, payload_bytes, runs, ceilings.get(payload_bytes))) + " |")
    notes = [
        f"- {record['name']}, {size(record['payload_bytes'])}, run {record['run']}: {text}"
        for record in records
        for text in complaints(record)
    ]
    return lines + ([""] + notes if notes else [])


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: table.py RESULTS.jsonl")
    try:
        with open(sys.argv[1], encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        records = []
    if not records:
        sys.exit("no figures: no case ran to its end")
    print("\n".join(table(records)))


if __name__ == "__main__":
    main()
