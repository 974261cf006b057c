#!/usr/bin/env python3
"""Have the providers' own libraries judge the requests that `hookport send` signs.

Reads JSON lines from a file (or standard input), each a signed request:

    {"preset": "stripe", "event": "…", "secret": "…", "settings": {}, "method": "POST",
     "url": "https://hooks.example.com/…", "headers": {}, "body_base64": "…"}

For each preset that has a library, the library must accept the request, and refuse it once one byte of
what is signed has changed. Every line of a preset is judged; one line per preset is printed. The exit
status is 1 when any failed, or when fewer providers than `--at-least` were judged.

    python3 -m venv target/interop
    target/interop/bin/pip install --no-compile -r tests/interop/requirements.txt
    target/interop/bin/python tests/interop/verify.py requests.jsonl
"""

import argparse
import base64
import hashlib
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

# The clock of a library that allows less than this (Paddle: 5 s) would judge how long the build took.
TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Request:
    preset: str
    event: str
    secret: str
    settings: dict[str, str]
    method: str
    url: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.text, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def parse(line: str) -> Request:
    item = json.loads(line)
    return Request(
        preset=item["preset"],
        event=item.get("event") or "",
        secret=item.get("secret") or "",
        settings=item.get("settings") or {},
        method=item["method"],
        url=item["url"],
        headers={name.lower(): value for name, value in item["headers"].items()},
        body=base64.b64decode(item["body_base64"]),
    )


# One function per library. Each imports its library itself, so that a file of two presets needs two of them, and
# catches only the error by which the library refuses: any other error is a failure, not a refusal.


def stripe(r: Request) -> bool:
    from stripe import SignatureVerificationError, Webhook

    try:
        Webhook.construct_event(r.body, r.headers["stripe-signature"], r.secret)
    except SignatureVerificationError:
        return False
    return True


def twilio(r: Request) -> bool:
    from twilio.request_validator import RequestValidator

    is_form = r.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    parameters = r.form if is_form else r.text
    return RequestValidator(r.secret).validate(r.url, parameters, r.headers["x-twilio-signature"])


def slack(r: Request) -> bool:
    from slack_sdk.signature import SignatureVerifier

    return SignatureVerifier(r.secret).is_valid_request(r.body, r.headers)


def standard_webhooks(r: Request) -> bool:
    from standardwebhooks import Webhook, WebhookVerificationError

    try:
        # Increase's own library hands the bytes of the secret to this one; the others have base64.
        Webhook(r.secret.encode() if r.preset == "increase" else r.secret).verify(r.body, r.headers)
    except WebhookVerificationError:
        return False
    return True


def svix(r: Request) -> bool:
    from svix.webhooks import Webhook, WebhookVerificationError

    try:
        Webhook(r.secret).verify(r.body, r.headers)
    except WebhookVerificationError:
        return False
    return True


def square(r: Request) -> bool:
    from square.utils.webhooks_helper import verify_signature

    return verify_signature(
        request_body=r.text,
        signature_header=r.headers["x-square-hmacsha256-signature"],
        signature_key=r.secret,
        notification_url=r.url,
    )


def braintree(r: Request) -> bool:
    from braintree import BraintreeGateway, Configuration, Environment
    from braintree.exceptions.invalid_signature_error import InvalidSignatureError

    # The public key only picks the signature, so the one that signed will do when no setting names another.
    public_key = r.settings.get("public_key") or r.form["bt_signature"].split("|")[0]
    gateway = BraintreeGateway(Configuration(Environment.Sandbox, "merchant", public_key, r.secret))
    try:
        gateway.webhook_notification.parse(r.form["bt_signature"], r.form["bt_payload"])
    except InvalidSignatureError:
        return False
    return True


def adyen(r: Request) -> bool:
    from Adyen.util import is_valid_hmac_notification

    # The library looks at the first item alone; every one must hold.
    items = r.json["notificationItems"]
    return bool(items) and all(is_valid_hmac_notification(item["NotificationRequestItem"], r.secret) for item in items)


def sendgrid(r: Request) -> bool:
    from sendgrid.helpers.eventwebhook import EventWebhook

    prefix = "x-twilio-email-event-webhook-"
    key = re.sub(r"-----[A-Z ]+-----|\s", "", r.secret)
    return EventWebhook(key).verify_signature(r.text, r.headers[prefix + "signature"], r.headers[prefix + "timestamp"])


def hubspot(signature_version: str) -> Callable[[Request], bool]:
    def check(r: Request) -> bool:
        from hubspot.utils.signature import Signature

        name = "x-hubspot-signature-v3" if signature_version == "v3" else "x-hubspot-signature"
        return Signature.is_valid(
            signature=r.headers[name],
            client_secret=r.secret,
            request_body=r.text,
            http_uri=r.url,
            http_method=r.method,
            signature_version=signature_version,
            timestamp=r.headers.get("x-hubspot-request-timestamp"),
        )

    return check


def razorpay(r: Request) -> bool:
    from razorpay import Utility
    from razorpay.errors import SignatureVerificationError

    try:
        return Utility().verify_webhook_signature(r.text, r.headers["x-razorpay-signature"], r.secret)
    except SignatureVerificationError:
        return False


def gocardless(r: Request) -> bool:
    from gocardless_pro import webhooks
    from gocardless_pro.errors import InvalidSignatureError

    try:
        webhooks.parse(r.text, r.secret, r.headers["webhook-signature"])
    except InvalidSignatureError:
        return False
    return True


def box(r: Request) -> bool:
    from box_sdk_gen.managers.webhooks import WebhooksManager

    return WebhooksManager.validate_message(r.text, r.headers, r.secret)


def discord(r: Request) -> bool:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    signature = bytes.fromhex(r.headers["x-signature-ed25519"])
    try:
        VerifyKey(bytes.fromhex(r.secret)).verify(r.headers["x-signature-timestamp"].encode() + r.body, signature)
    except BadSignatureError:
        return False
    return True


def pusher(r: Request) -> bool:
    from pusher import Pusher

    key = r.headers["x-pusher-key"]
    client = Pusher(app_id="1", key=r.settings.get("app_key") or key, secret=r.secret)
    return client.validate_webhook(key, r.headers["x-pusher-signature"], r.text) is not None


def workos(r: Request) -> bool:
    from workos import WorkOSClient

    client = WorkOSClient(api_key="unused", client_id="unused")
    try:
        client.webhooks.verify_header(
            event_body=r.body, event_signature=r.headers["workos-signature"], secret=r.secret
        )
    except ValueError:
        return False
    return True


def line(r: Request) -> bool:
    from linebot.v3.webhook import SignatureValidator

    return SignatureValidator(r.secret).validate(r.text, r.headers["x-line-signature"])


def coinbase_commerce(r: Request) -> bool:
    from coinbase_commerce.error import SignatureVerificationError
    from coinbase_commerce.webhook import Webhook

    try:
        Webhook.construct_event(r.text, r.headers["x-cc-webhook-signature"], r.secret)
    except SignatureVerificationError:
        return False
    return True


def paddle(r: Request) -> bool:
    from paddle_billing.Notifications import Secret, Verifier

    request = SimpleNamespace(headers={"Paddle-Signature": r.headers["paddle-signature"]}, body=r.body)
    return Verifier(TOLERANCE_SECONDS).verify(request, Secret(r.secret))


def http_message_signatures(algorithm: str) -> Callable[[Request], bool]:
    def check(r: Request) -> bool:
        import http_message_signatures as library

        # Bytes are a shared key or PEM to the library; a row also takes a public key as the base64 within its PEM.
        if algorithm == "HMAC_SHA256":
            key = base64.b64decode(r.secret)
        elif "BEGIN" in r.secret:
            key = r.secret.encode()
        else:
            key = f"-----BEGIN PUBLIC KEY-----\n{r.secret}\n-----END PUBLIC KEY-----\n".encode()

        class AnyKeyId(library.HTTPSignatureKeyResolver):
            def resolve_public_key(self, key_id: str) -> bytes:
                return key

        verifier = library.HTTPMessageVerifier(
            signature_algorithm=getattr(library.algorithms, algorithm), key_resolver=AnyKeyId()
        )
        message = SimpleNamespace(method=r.method, url=r.url, headers=r.headers)
        try:
            verifier.verify(message, max_age=timedelta(seconds=TOLERANCE_SECONDS), body=r.body)
        except library.InvalidSignature as error:
            # The library wraps whatever goes wrong, so that a key it cannot read would pass for a refusal.
            if isinstance(error.__cause__, (TypeError, ValueError)):
                raise error.__cause__
            return False
        return True

    return check


def netlify(r: Request) -> bool:
    import jwt

    token = r.headers["x-webhook-signature"]
    try:
        claims = jwt.decode(token, r.secret, algorithms=["HS256"], issuer="netlify", options={"require": ["sha256"]})
    except jwt.InvalidSignatureError:
        return False
    return claims["sha256"] == hashlib.sha256(r.body).hexdigest()


def monday(r: Request) -> bool:
    import jwt

    token = r.headers["authorization"].removeprefix("Bearer ")
    try:
        # Its audience is the URL that was set at monday, which need not be the one of this request.
        jwt.decode(token, r.secret, algorithms=["HS256"], options={"verify_aud": False})
    except jwt.InvalidSignatureError:
        return False
    return True


def vonage(r: Request) -> bool:
    from vonage_jwt import verify_signature

    return verify_signature(r.headers["authorization"].removeprefix("Bearer "), r.secret)


def messagebird(r: Request) -> bool:
    from messagebird.error import ValidationError
    from messagebird.request_validator import RequestValidator

    # A row knows no claim for the URL's digest, so a sender made from one cannot write it.
    validator = RequestValidator(r.secret, skip_url_validation=True)
    try:
        validator.validate_signature(r.headers["messagebird-signature-jwt"], r.url, r.body)
    except ValidationError:
        return False
    return True


def easypost(r: Request) -> bool:
    from easypost.errors import SignatureVerificationError
    from easypost.util import validate_webhook

    try:
        validate_webhook(r.body, {"X-Hmac-Signature": r.headers["x-hmac-signature"]}, r.secret)
    except SignatureVerificationError:
        return False
    return True


def mailgun(r: Request) -> bool:
    from mailgun.security import SecurityGuard

    signed = r.json["signature"]
    return SecurityGuard.verify_webhook(r.secret, signed["token"], signed["timestamp"], signed["signature"])


def github(r: Request) -> bool:
    from gidgethub import ValidationFailure
    from gidgethub.sansio import validate_event

    try:
        validate_event(r.body, signature=r.headers["x-hub-signature-256"], secret=r.secret)
    except ValidationFailure:
        return False
    return True


def whatsapp(r: Request) -> bool:
    from pywa.utils import webhook_updates_validator

    return webhook_updates_validator(r.secret, r.body, r.headers["x-hub-signature-256"])


# What a judgement spoils: the header, or the body for None, and which byte of it, as the last group of a pattern.
# In a body it is the last letter of the last text: JSON stays JSON, so that only the signature can be a reason to
# refuse.
BODY = (None, r'(?s).*:\s*"[^"\\]*([A-Za-z0-9])"|(?s:.*)([A-Za-z0-9])')


def jwt_signature(header: str) -> tuple[str, str]:
    # The first character of the signature. Two bits of its last stand for nothing.
    return header, r".*\.([\w-])"


@dataclass(frozen=True)
class Judge:
    package: str
    accepts: Callable[[Request], bool]
    spoil: tuple[str | None, str] = BODY


STANDARD_WEBHOOKS = Judge("standardwebhooks", standard_webhooks)
SVIX = Judge("svix", svix)
META = Judge("pywa", whatsapp)

JUDGES: dict[str, Judge] = {
    "adyen": Judge("Adyen", adyen, (None, r'"pspReference"\s*:\s*"(\w)')),
    "box": Judge("box-sdk-gen", box),
    "braintree": Judge("braintree", braintree, (None, r"bt_payload=(\w)")),
    "brex": STANDARD_WEBHOOKS,
    "clerk": SVIX,
    "coinbase-commerce": Judge("coinbase-commerce", coinbase_commerce),
    "discord": Judge("PyNaCl", discord),
    "discord-events": Judge("PyNaCl", discord),
    "easypost": Judge("easypost", easypost),
    "github": Judge("gidgethub", github),
    "gitlab-signed": STANDARD_WEBHOOKS,
    "gocardless": Judge("gocardless_pro", gocardless),
    "hubspot-v1": Judge("hubspot-api-client", hubspot("v1")),
    "hubspot-v2": Judge("hubspot-api-client", hubspot("v2")),
    "hubspot-v3": Judge("hubspot-api-client", hubspot("v3")),
    "incident-io": STANDARD_WEBHOOKS,
    "increase": STANDARD_WEBHOOKS,
    "line": Judge("line-bot-sdk", line),
    "loops": STANDARD_WEBHOOKS,
    "mailgun": Judge("mailgun", mailgun, (None, r'"token"\s*:\s*"(\w)')),
    "messagebird": Judge("messagebird", messagebird),
    "meta": META,
    "monday": Judge("PyJWT", monday, jwt_signature("authorization")),
    "netlify": Judge("PyJWT", netlify, jwt_signature("x-webhook-signature")),
    "openai": STANDARD_WEBHOOKS,
    "paddle": Judge("paddle-python-sdk", paddle),
    "pusher": Judge("pusher", pusher),
    "razorpay": Judge("razorpay", razorpay),
    "resend": SVIX,
    "sendgrid": Judge("sendgrid", sendgrid),
    "slack": Judge("slack_sdk", slack),
    "square": Judge("squareup", square),
    "standard-webhooks": STANDARD_WEBHOOKS,
    "stripe": Judge("stripe", stripe),
    "svix": SVIX,
    "twilio": Judge("twilio", twilio),
    "vonage": Judge("vonage-jwt", vonage, jwt_signature("authorization")),
    "whatsapp": META,
    "workos": Judge("workos", workos),
} | {
    f"http-message-signatures-{suffix}": Judge("http-message-signatures", http_message_signatures(algorithm))
    for suffix, algorithm in {
        "hmac": "HMAC_SHA256",
        "ed25519": "ED25519",
        "ecdsa": "ECDSA_P256_SHA256",
        "rsa-pss": "RSA_PSS_SHA512",
    }.items()
}


def other(character: str) -> str:
    """Another character: a digit for a digit, a letter of its case for a letter, so that hexadecimal stays it."""
    if character.isdigit():
        return str(int(character) ^ 1)
    a, b = "ab" if character.islower() else "AB"
    return b if character == a else a


def spoiled(r: Request, header: str | None, pattern: str) -> Request:
    # Latin-1 maps each byte to one character and back.
    text = r.body.decode("latin-1") if header is None else r.headers[header]
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing to spoil in {header or 'the body'}")
    start, end = found.span(found.lastindex)
    text = text[:start] + other(text[start]) + text[end:]
    if header is None:
        return replace(r, body=text.encode("latin-1"))
    return replace(r, headers=r.headers | {header: text})


def complaint(judge: Judge, r: Request) -> str | None:
    """What is wrong with a request, or rather with its judgement."""
    try:
        if not judge.accepts(r):
            return "refused as it was signed"
        if judge.accepts(spoiled(r, *judge.spoil)):
            return f"accepted with one byte changed in {judge.spoil[0] or 'the body'}"
    except Exception as error:  # whatever a library throws, the others are still to be judged
        return f"{type(error).__name__}: {error}"
    return None


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("file", nargs="?", type=argparse.FileType(encoding="utf-8"), default=sys.stdin)
    arguments.add_argument("--at-least", type=int, default=12, metavar="N", help="providers to judge (default 12)")
    options = arguments.parse_args()
    # What libraries log about refusals and warn of about short keys is no news here: both are made on purpose.
    logging.disable()
    warnings.simplefilter("ignore")

    requests: dict[str, list[Request]] = {}
    for text in filter(str.strip, options.file):
        request = parse(text)
        requests.setdefault(request.preset, []).append(request)

    failed = 0
    judged = sorted(requests.keys() & JUDGES.keys())
    for preset in judged:
        judge = JUDGES[preset]
        complaints = [f"{r.event}: {wrong}" for r in requests[preset] if (wrong := complaint(judge, r))]
        failed += bool(complaints)
        try:
            package = f"{judge.package} {version(judge.package)}"
        except ModuleNotFoundError:
            package = f"{judge.package} (not installed)"
        print("FAILED" if complaints else "ok", preset, package, *(["; ".join(complaints)] if complaints else []))
    if others := sorted(requests.keys() - JUDGES.keys()):
        print("none", *others)

    # Several presets of one provider (hubspot-v1, hubspot-v3) begin with its name, and count once.
    providers = len({preset.split("-")[0] for preset in judged})
    print(f"{providers} providers judged by {len(judged)} presets, {failed} presets failed")
    if providers < options.at_least:
        print(f"FAILED: fewer than {options.at_least} providers")
    return int(failed > 0 or providers < options.at_least)


if __name__ == "__main__":
    sys.exit(main())
