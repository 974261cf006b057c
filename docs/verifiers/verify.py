"""Verifies what Hookport delivers. Python 3.9 or later. Copy this file; docs/verify.md tells of it.

No packages, but for public keys (`whpk_…`): they need `cryptography`.

    import verify

    @app.post("/hooks")
    def hooks():
        body = request.get_data()  # before request.json or request.form
        if not verify.verify_standard(SECRET, request.headers, body):
            return "", 401
        if (answer := verify.answer_challenge(body)) is not None:
            return answer, 200, {"Content-Type": "application/json"}
        event = json.loads(body)
        return "", 204

The signature is over the bytes that came; JSON that was parsed and written again is other bytes. That was Flask.
Django: `request.body`, before `request.POST`, in a view that is `csrf_exempt`. FastAPI and Starlette: `await
request.body()` in a route that takes the `Request`, not a model. Lambda: `base64.b64decode(event["body"])` if
`isBase64Encoded`.

`headers` is anything with `items()`: names in any case, values texts or lists of one text. What cannot be right is
False; nothing that a sender sends makes these raise.
"""

import base64
import hashlib
import hmac
import json
import re
import time

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 16
MAX_CHALLENGE_BYTES = 4096


def verify_standard(key, headers, body, now=None):
    """The dialect `standard`: `webhook-signature` over `{webhook-id}.{webhook-timestamp}.{body}`.

    `key` is a secret (`whsec_…`), for the signatures `v1`, or a public key (`whpk_…`), for the signatures `v1a`.
    """
    if isinstance(key, str) and key.startswith("whpk_") and Ed25519PublicKey is None:
        raise RuntimeError("a public key needs the package `cryptography`")
    return _safely(lambda: _standard(key, headers, body, now), False)


def verify_hub(secret, headers, body):
    """The dialect `hub`: `X-Hub-Signature-256` or `X-Webhook-Signature`, over the body alone."""
    return _safely(lambda: _hub(secret, headers, body), False)


def verify_timestamped(secret, headers, body, now=None):
    """The dialect `timestamped`: `X-Hookport-Signature: t=…,v1=…` over `{t}.{body}`."""
    return _safely(lambda: _timestamped(secret, headers, body, now), False)


def answer_challenge(body):
    """The body to answer with, status 200 and `application/json`, if `body` is a challenge, else None. Verify first."""
    return _safely(lambda: _challenge(body), None)


def public_keys(jwks):
    """The Ed25519 keys in the text of a `jwks.json`, as `whpk_…`. A delivery is genuine if it is by one of them."""
    return _safely(lambda: _public_keys(jwks), [])


def _standard(key, headers, body, now):
    body = _bytes(body)
    identifier = _one(headers, "webhook-id") or ""
    timestamp = _one(headers, "webhook-timestamp")
    entries = [entry for entry in (_one(headers, "webhook-signature") or "").split(" ") if entry]
    # A full stop in the id would let a part of the body pass for the time.
    if not key or not re.fullmatch(r"[!-\-/-~]{1,256}", identifier) or not _is_recent(timestamp, now):
        return False
    if len(entries) > MAX_SIGNATURES:
        return False
    signed = f"{identifier}.{timestamp}.".encode() + body
    if key.startswith("whpk_"):
        public = _base64(key[5:])
        signatures = [_base64(entry[4:]) for entry in entries if entry.startswith("v1a,")]
        return public is not None and any(_is_signed(public, one, signed) for one in signatures if one)
    if key.startswith("whsec_"):
        secret = _base64(key[6:])
    else:
        secret = _base64(key) or key.encode()
    if not secret:
        return False
    tag = hmac.new(secret, signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(tag).decode()
    return any([_equal(entry, expected) for entry in entries])


def _is_signed(public, signature, signed):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _hub(secret, headers, body):
    given = _one(headers, "x-hub-signature-256") or _one(headers, "x-webhook-signature") or ""
    if not secret or not given.startswith("sha256="):
        return False
    return _equal(given[7:].lower(), hmac.new(secret.encode(), _bytes(body), hashlib.sha256).hexdigest())


def _timestamped(secret, headers, body, now):
    parts = [part.strip(" \t") for part in (_one(headers, "x-hookport-signature") or "").split(",")]
    times = [part[2:] for part in parts if part.startswith("t=")]
    tags = [part[3:] for part in parts if part.startswith("v1=")]
    if not secret or len(parts) > MAX_SIGNATURES or len(times) != 1 or not _is_recent(times[0], now):
        return False
    signed = times[0].encode() + b"." + _bytes(body)
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return any([_equal(tag.lower(), expected) for tag in tags])


def _challenge(body):
    body = _bytes(body)
    if len(body) > MAX_CHALLENGE_BYTES:
        return None
    # Decoded here, because json guesses UTF-16 and UTF-32 as well.
    members = json.loads(body.decode())
    if not isinstance(members, dict) or members.get("type") != "webhook.challenge":
        return None
    challenge = members.get("challenge")
    if not isinstance(challenge, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,256}", challenge):
        return None
    return f'{{"challenge":"{challenge}"}}'


def _public_keys(jwks):
    found = []
    for key in json.loads(jwks)["keys"]:
        if not isinstance(key, dict) or key.get("use", "sig") != "sig":
            continue
        if key.get("kty") == "OKP" and key.get("crv") == "Ed25519" and isinstance(key.get("x"), str):
            x = _base64(key["x"].translate({ord("-"): "+", ord("_"): "/"}) + "=")
            if x is not None and len(x) == 32:
                found.append("whpk_" + base64.b64encode(x).decode())
    return found


def _safely(judge, otherwise):
    try:
        return judge()
    except Exception:
        return otherwise


def _one(headers, name):
    """The value of the header, if there is just one."""
    found = []
    for key, value in headers.items():
        if key.lower() == name:
            found.extend(value if isinstance(value, (list, tuple)) else [value])
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None


def _bytes(body):
    return body.encode() if isinstance(body, str) else bytes(memoryview(body))


def _is_recent(timestamp, now):
    if timestamp is None or not re.fullmatch(r"[0-9]{1,15}", timestamp):
        return False
    return abs((time.time() if now is None else now) - int(timestamp)) <= TOLERANCE_SECONDS


def _base64(text):
    """What the text stands for, if it is padded, canonical base64."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return found if base64.b64encode(found).decode() == text else None


def _equal(given, expected):
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
