#!/usr/bin/env python3
"""Have libraries that receivers use judge what the gateway delivers, in every dialect that is signed.

Reads JSON lines from a file (or standard input), each a delivery as a target got it within the last five minutes:

    {"dialect": "standard", "method": "POST", "url": "http://127.0.0.1:8081/hooks", "headers": {}, "body_base64": "…",
     "secret": "whsec_…", "public_key": "whpk_…"}

`secret` is the subscription's and `public_key` the tenant's; either may be null or left out where nothing is signed
with it. Every signature that stands in the headers is judged, and those of the dialect must be there: each library must
accept the delivery, and refuse it once one byte of what is signed, or of the signature, has changed. One line per
dialect and library is printed. The exit status is 1 when any failed, or when a dialect of `NEEDED` was not among them.

    target/interop/bin/python tests/interop/outbound.py deliveries.jsonl
"""

import argparse
import base64
import importlib.util
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace

from verify import BODY, TOLERANCE_SECONDS, other

ROOT = Path(__file__).resolve().parents[2]
# What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")
COMPONENTS = ("@method", "@target-uri", "content-digest", "content-type", "webhook-id", "webhook-timestamp")


@dataclass(frozen=True)
class Delivery:
    dialect: str
    method: str
    url: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    secret: str
    public_key: str

    @property
    def raw_public_key(self) -> bytes:
        return base64.b64decode(self.public_key.removeprefix("whpk_"), validate=True)


def parse(line: str) -> Delivery:
    item = json.loads(line)
    return Delivery(
        dialect=item["dialect"],
        method=item["method"],
        url=item["url"],
        headers={name.lower(): value for name, value in item["headers"].items()},
        body=base64.b64decode(item["body_base64"]),
        secret=item.get("secret") or "",
        public_key=item.get("public_key") or "",
    )


# One function per library. Each imports its library itself and catches only the error by which the library refuses: any
# other error is a failure, not a refusal.


def standardwebhooks(d: Delivery) -> bool:
    from standardwebhooks import Webhook, WebhookVerificationError

    try:
        Webhook(standard_key(d.secret)).verify(d.body, d.headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


def svix(d: Delivery) -> bool:
    from svix.webhooks import Webhook, WebhookVerificationError

    try:
        Webhook(standard_key(d.secret)).verify(d.body, d.headers)
    except WebhookVerificationError:
        return False
    return True


def standard_key(secret: str) -> str | bytes:
    """The secret as these libraries take it: text that is base64, else bytes."""
    try:
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return secret.encode()
    return secret


def ed25519(d: Delivery) -> bool:
    """The library knows Ed25519 alone: what is signed, and how it is written, is read from the specification."""
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    signed = f"{d.headers['webhook-id']}.{d.headers['webhook-timestamp']}.".encode() + d.body
    for entry in d.headers["webhook-signature"].split(" "):
        scheme, _, signature = entry.partition(",")
        if scheme != "v1a":
            continue
        try:
            VerifyKey(d.raw_public_key).verify(signed, base64.b64decode(signature, validate=True))
        except BadSignatureError:
            continue
        return True
    return False


def gidgethub(d: Delivery) -> bool:
    from gidgethub import ValidationFailure
    from gidgethub.sansio import validate_event

    try:
        validate_event(d.body, signature=d.headers["x-hub-signature-256"], secret=d.secret)
    except ValidationFailure:
        return False
    return True


def pywa(d: Delivery) -> bool:
    from pywa.utils import webhook_updates_validator

    return webhook_updates_validator(d.secret, d.body, d.headers["x-webhook-signature"])


def stripe(d: Delivery) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        given = d.headers["x-hookport-signature"]
        return WebhookSignature.verify_header(d.body.decode(), given, d.secret, tolerance=TOLERANCE_SECONDS)
    except SignatureVerificationError:
        return False


def http_message_signatures(algorithm: str) -> Callable[[Delivery], bool]:
    def check(d: Delivery) -> bool:
        import http_message_signatures as library

        key = d.secret.encode()
        if algorithm == "ED25519":
            info = base64.b64encode(ED25519_PREFIX + d.raw_public_key).decode()
            key = f"-----BEGIN PUBLIC KEY-----\n{info}\n-----END PUBLIC KEY-----\n".encode()

        class AnyKeyId(library.HTTPSignatureKeyResolver):
            def resolve_public_key(self, key_id: str) -> bytes:
                return key

        verifier = library.HTTPMessageVerifier(
            signature_algorithm=getattr(library.algorithms, algorithm), key_resolver=AnyKeyId()
        )
        # While a key is changed, a second signature stands under a label of its own.
        verifier.allow_label_only_selection = True
        message = SimpleNamespace(method=d.method, url=d.url, headers=d.headers)
        try:
            verifier.verify(
                message,
                max_age=timedelta(seconds=TOLERANCE_SECONDS),
                expect_label="hookport",
                require_components=COMPONENTS,
                body=d.body,
            )
        except library.InvalidSignature as error:
            # The library wraps whatever goes wrong, so that a key it cannot read would pass for a refusal.
            if isinstance(error.__cause__, (TypeError, ValueError)):
                raise error.__cause__
            return False
        return True

    return check


def cloudevents(d: Delivery) -> bool:
    from cloudevents.core.bindings.http import HTTPMessage, from_http_event
    from cloudevents.core.exceptions import BaseCloudEventException

    try:
        event = from_http_event(HTTPMessage(headers=d.headers, body=d.body))
    except (BaseCloudEventException, ValueError, KeyError):
        return False
    named = (event.get_specversion(), event.get_id(), event.get_type())
    return named == ("1.0", d.headers["webhook-id"], d.headers["hookport-event-type"]) and event.get_data() is not None


def own(function: str, key: Callable[[Delivery], str], *more: int | None) -> Callable[[Delivery], bool]:
    """What docs/verifiers/verify.py says, by the time of day."""

    def check(d: Delivery) -> bool:
        return getattr(verifier_to_copy(), function)(key(d), d.headers, d.body, *more)

    return check


def verifier_to_copy() -> ModuleType:
    if (module := sys.modules.get("verifier_to_copy")) is None:
        spec = importlib.util.spec_from_file_location("verifier_to_copy", ROOT / "docs/verifiers/verify.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["verifier_to_copy"] = module
        spec.loader.exec_module(module)
    return module


def secret(d: Delivery) -> str:
    return d.secret


def public_key(d: Delivery) -> str:
    return d.public_key


# What a judgement spoils: the header, None for the body, or `@method` and `@url`; and which bytes of it, each as the
# last group of a match. Where several signatures stand in one header, each is spoiled.
Spoil = tuple[str | None, str]
ID: Spoil = ("webhook-id", r".*([A-Za-z0-9])")
TIMESTAMP: Spoil = ("webhook-timestamp", r".*([0-9])")
STANDARD = (BODY, ID, TIMESTAMP, ("webhook-signature", r"v1,(.)"))
STANDARD_ASYMMETRIC = (BODY, ID, TIMESTAMP, ("webhook-signature", r"v1a,(.)"))
MESSAGE = (
    BODY,
    ID,
    TIMESTAMP,
    ("@method", r".*(\w)"),
    ("@url", r".*(\w)"),
    ("content-type", r".*(\w)"),
    ("content-digest", r"256=:(.)"),
    ("signature", r"(?:^|, )[a-z0-9-]+=:(.)"),
    ("signature-input", r'keyid="(\w)'),
)


@dataclass(frozen=True)
class Judge:
    """A library, which signatures it can judge, and what it must not overlook."""

    package: str
    is_for: Callable[[Delivery], bool]
    accepts: Callable[[Delivery], bool]
    spoils: tuple[Spoil, ...]


def has(header: str, pattern: str = "") -> Callable[[Delivery], bool]:
    return lambda d: re.search(pattern, d.headers[header]) is not None if header in d.headers else False


V1, V1A = has("webhook-signature", r"(^| )v1,"), has("webhook-signature", r"(^| )v1a,")
HUB, WEBHOOK = has("x-hub-signature-256"), has("x-webhook-signature")
TIMESTAMPED = has("x-hookport-signature")
MESSAGE_HMAC, MESSAGE_ED25519 = (has("signature-input", f'alg="{name}"') for name in ("hmac-sha256", "ed25519"))
STRUCTURED = has("content-type", "^application/cloudevents")
BINARY = has("ce-specversion")
COPIED = "docs/verifiers/verify.py"

JUDGES = (
    Judge("standardwebhooks", V1, standardwebhooks, STANDARD),
    Judge("svix", V1, svix, STANDARD),
    Judge(COPIED, V1, own("verify_standard", secret), STANDARD),
    Judge("PyNaCl", V1A, ed25519, STANDARD_ASYMMETRIC),
    Judge(COPIED, V1A, own("verify_standard", public_key), STANDARD_ASYMMETRIC),
    Judge("gidgethub", HUB, gidgethub, (BODY, ("x-hub-signature-256", r"sha256=(.)"))),
    Judge("pywa", WEBHOOK, pywa, (BODY, ("x-webhook-signature", r"sha256=(.)"))),
    Judge(COPIED, HUB, own("verify_hub", secret), (BODY, ("x-hub-signature-256", r"sha256=(.)"))),
    *(
        Judge(package, TIMESTAMPED, accepts, (BODY, *(("x-hookport-signature", p) for p in (r"t=\d*(\d)", r"v1=(.)"))))
        for package, accepts in (("stripe", stripe), (COPIED, own("verify_timestamped", secret)))
    ),
    Judge("http-message-signatures", MESSAGE_HMAC, http_message_signatures("HMAC_SHA256"), MESSAGE),
    Judge("http-message-signatures", MESSAGE_ED25519, http_message_signatures("ED25519"), MESSAGE),
    Judge("cloudevents", BINARY, cloudevents, (("ce-specversion", r"(\d)"), ("ce-id", r".*(\w)"))),
    Judge("cloudevents", STRUCTURED, cloudevents, ((None, r'"specversion"\s*:\s*"(\d)'), (None, r'"id"\s*:\s*"(\w)'))),
)

# The dialects that are signed, and what each must carry.
NEEDED: dict[str, tuple[Callable[[Delivery], bool], ...]] = {
    "standard": (V1,),
    "standard-v1a": (V1A,),
    "hub": (HUB, WEBHOOK),
    "timestamped": (TIMESTAMPED,),
    "cloudevents": (BINARY, V1),
    "cloudevents-structured": (STRUCTURED, V1),
    "rfc9421": (MESSAGE_HMAC,),
    "rfc9421-ed25519": (MESSAGE_ED25519,),
}


def spoiled(d: Delivery, part: str | None, pattern: str) -> Delivery:
    # Latin-1 maps each byte to one character and back.
    parts = d.headers | {None: d.body.decode("latin-1"), "@method": d.method, "@url": d.url}
    text = parts.get(part, "")
    places = [match.start(match.lastindex) for match in re.finditer(pattern, text)]
    if not places:
        raise ValueError(f"nothing to spoil in {part or 'the body'}")
    for at in places:
        text = text[:at] + other(text[at]) + text[at + 1 :]
    if part is None:
        return replace(d, body=text.encode("latin-1"))
    if part == "@method":
        return replace(d, method=text)
    if part == "@url":
        return replace(d, url=text)
    return replace(d, headers=d.headers | {part: text})


def complaints(judge: Judge, d: Delivery) -> list[str]:
    """What is wrong with a delivery, or rather with its judgement."""
    try:
        if not judge.accepts(d):
            return ["refused as it was delivered"]
        overlooked = [part for part, pattern in judge.spoils if judge.accepts(spoiled(d, part, pattern))]
    except Exception as error:  # whatever a library throws, the others are still to be judged
        return [f"{type(error).__name__}: {error}"]
    return [f"accepted with one byte changed in {part or 'the body'}" for part in overlooked]


def package_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except ModuleNotFoundError:
        return package if "/" in package else f"{package} (not installed)"


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("file", nargs="?", type=argparse.FileType(encoding="utf-8"), default=sys.stdin)
    options = arguments.parse_args()
    # What libraries log about refusals is no news here: they are made on purpose. So is the choice by label.
    logging.disable()
    warnings.simplefilter("ignore")

    deliveries: dict[str, list[Delivery]] = {}
    for text in filter(str.strip, options.file):
        delivery = parse(text)
        deliveries.setdefault(delivery.dialect, []).append(delivery)

    failed = judged = 0
    for dialect, all_of_it in sorted(deliveries.items()):
        lacking = [d for d in all_of_it if not all(needed(d) for needed in NEEDED.get(dialect, ()))]
        if lacking:
            failed += 1
            print("FAILED", dialect, f"{len(lacking)} of {len(all_of_it)} deliveries lack a part of the dialect")
        any_judge = False
        for judge in JUDGES:
            mine = [d for d in all_of_it if judge.is_for(d)]
            if not mine:
                continue
            any_judge = True
            wrong = sorted({text for d in mine for text in complaints(judge, d)})
            judged += len(mine)
            failed += bool(wrong)
            line = ("FAILED" if wrong else "ok", dialect, package_version(judge.package), f"{len(mine)} deliveries")
            print(*line, *(["; ".join(wrong)] if wrong else []))
        if not any_judge:
            print("none", dialect)
    for dialect in sorted(NEEDED.keys() - deliveries.keys()):
        failed += 1
        print("FAILED", dialect, "no delivery was to be judged")
    print(f"{judged} judgements of {sum(map(len, deliveries.values()))} deliveries, {failed} failures")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
