"""Judges docs/verifiers/verify.py by vectors.json, which is the argument: prints `ok N`, or the names that failed."""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "verifiers"))

import verify

# What a parser or a framework may hand over in place of bytes and headers.
ODD = [None, 5, True, {}, [], object(), {"type": "webhook.challenge"}, "\ud800", b"\xff"]


def judge(vector):
    key, headers, now = vector["key"], vector["headers"], vector["now"]
    body = base64.b64decode(vector["body_base64"])
    return {
        "standard": lambda: verify.verify_standard(key, headers, body, now),
        "hub": lambda: verify.verify_hub(key, headers, body),
        "timestamped": lambda: verify.verify_timestamped(key, headers, body, now),
        "challenge": lambda: verify.answer_challenge(body),
        "keys": lambda: verify.public_keys(body),
    }[vector["function"]]()


def holds_against(odd):
    headers = {"webhook-id": odd, "X-Hub-Signature-256": [odd], "X-Hookport-Signature": odd}
    for function in (verify.verify_standard, verify.verify_hub, verify.verify_timestamped):
        if any((function("whsec_AAAA", {}, odd), function("whsec_AAAA", odd, b""), function(odd, headers, b""))):
            return False
    return verify.answer_challenge(odd) is None and verify.public_keys(odd) == []


def main():
    vectors = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["vectors"]
    judged = vectors
    if verify.Ed25519PublicKey is None:
        judged = [vector for vector in vectors if not (vector["key"] or "").startswith("whpk_")]
    failed = [vector["name"] for vector in judged if judge(vector) != vector["expected"]]
    failed += [f"handed {odd!r}" for odd in ODD if not holds_against(odd)]
    if failed:
        print("failed:", "; ".join(failed))
        return 1
    left_out = len(vectors) - len(judged)
    print("ok", len(judged), *([f"({left_out} need the package cryptography)"] if left_out else []))
    return 0


if __name__ == "__main__":
    sys.exit(main())
