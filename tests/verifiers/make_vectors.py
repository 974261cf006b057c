#!/usr/bin/env python3
"""Makes vectors.json, by which every verifier in docs/verifiers is judged.

It shares no code with what it judges, nor with the gateway: hmac, hashlib and base64 of Python, and Ed25519 of the
package `cryptography`. Run it again after a change here; it makes the same file each time.

    python3 tests/verifiers/make_vectors.py >tests/verifiers/vectors.json
"""

import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_790_000_000
ID = "evt_01m5w3rm008000000400000001"
BODY = b'{"type":"invoice.paid","timestamp":"2026-09-21T14:13:20Z","data":{"amount":"12.50"}}'
KEY, OTHER_KEY = bytes(range(32)), bytes(range(32, 64))
WHSEC, OTHER_WHSEC = ("whsec_" + base64.b64encode(key).decode() for key in (KEY, OTHER_KEY))
TEXT, OTHER_TEXT = hashlib.sha256(b"hookport").hexdigest(), hashlib.sha256(b"another").hexdigest()
PRIVATE, OTHER_PRIVATE = (Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest()) for seed in (b"a", b"b"))
RAW_PUBLIC, OTHER_RAW_PUBLIC = (
    key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for key in (PRIVATE, OTHER_PRIVATE)
)
WHPK, OTHER_WHPK = ("whpk_" + base64.b64encode(raw).decode() for raw in (RAW_PUBLIC, OTHER_RAW_PUBLIC))

vectors = []


def add(name, function, key, headers, body, expected, now=NOW):
    names = {vector["name"] for vector in vectors}
    assert name not in names, name
    vector = {"name": name, "function": function, "key": key, "headers": headers}
    vector |= {"body_base64": base64.b64encode(body).decode(), "now": now, "expected": expected}
    vectors.append(vector)


def b64(raw):
    return base64.b64encode(raw).decode()


def signed_content(identifier, timestamp, body):
    return identifier.encode() + b"." + str(timestamp).encode() + b"." + body


def v1(key=KEY, body=BODY, timestamp=NOW, identifier=ID):
    return "v1," + b64(hmac.new(key, signed_content(identifier, timestamp, body), hashlib.sha256).digest())


def v1a(private=PRIVATE, body=BODY, timestamp=NOW, identifier=ID):
    return "v1a," + b64(private.sign(signed_content(identifier, timestamp, body)))


def standard(name, expected, signature, key=WHSEC, body=BODY, timestamp=NOW, identifier=ID, **more):
    headers = {"webhook-id": identifier, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
    headers |= more.pop("replaced", {})
    for left_out in more.pop("without", []):
        del headers[left_out]
    add(f"standard: {name}", "standard", key, headers, body, expected, **more)


def standard_vectors():
    standard("a genuine delivery", True, v1())
    standard("names in another case", True, v1(), without=["webhook-id", "webhook-signature"],
             replaced={"Webhook-Id": ID, "WEBHOOK-SIGNATURE": v1()})
    standard("values as lists of one", True, v1(),
             replaced={"webhook-id": [ID], "webhook-timestamp": [str(NOW)], "webhook-signature": [v1()]})
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        standard(f"without {name}", False, v1(), without=[name])
        standard(f"an empty {name}", False, v1(), replaced={name: ""})
    standard("no header at all", False, v1(), without=["webhook-id", "webhook-timestamp", "webhook-signature"])
    standard("a signature twice", False, v1(), replaced={"webhook-signature": [v1(), v1()]})
    standard("an id twice, in two cases", False, v1(), replaced={"Webhook-Id": ID})
    standard("a header without a value", False, v1(), replaced={"webhook-id": []})

    standard("a body with one byte changed", False, v1(), body=BODY.replace(b"12.50", b"92.50"))
    standard("a body with a byte more", False, v1(), body=BODY + b"\n")
    standard("a body that is cut", False, v1(), body=BODY[:-1])
    standard("the signature of an empty body", False, v1(body=b""))
    standard("an empty body", True, v1(body=b""), body=b"")
    binary = b"\xff\xfe\x00\x80" + bytes(range(256))
    standard("a body that is no UTF-8", True, v1(body=binary), body=binary)
    standard("a body that is no UTF-8, with one byte changed", False, v1(body=binary), body=binary[:-1] + b"\xfe")
    snow = '{"naïve":"☃"}'.encode()
    standard("a body in UTF-8", True, v1(body=snow), body=snow)

    standard("another secret", False, v1(OTHER_KEY))
    standard("another id", False, v1(identifier="evt_2"))
    standard("another time", False, v1(timestamp=NOW - 1))
    standard("a secret without its prefix", True, v1(), key=b64(KEY))
    text = "not base64: a passphrase"
    standard("a secret that is no base64", True, v1(text.encode()), key=text)
    standard("a secret of 64 hex characters is base64", True, v1(base64.b64decode(TEXT)), key=TEXT)
    standard("a secret of 64 hex characters is not its text", False, v1(TEXT.encode()), key=TEXT)
    unpadded = "0123456789abcdefg"
    standard("a secret of base64 without padding is its text", True, v1(unpadded.encode()), key=unpadded)
    loose = "AAAAAAAAAAAAAAAAAAAAAB=="
    standard("a secret of base64 with bits left over is its text", True, v1(loose.encode()), key=loose)
    standard("a prefix without base64", False, v1(b""), key="whsec_!!!!!!!!!!!!!!!!!!!!")
    standard("a prefix alone", False, v1(b""), key="whsec_")
    standard("no secret", False, v1(b""), key="")

    standard("300 s ago", True, v1(timestamp=NOW - 300), timestamp=NOW - 300)
    standard("301 s ago", False, v1(timestamp=NOW - 301), timestamp=NOW - 301)
    standard("in 300 s", True, v1(timestamp=NOW + 300), timestamp=NOW + 300)
    standard("in 301 s", False, v1(timestamp=NOW + 301), timestamp=NOW + 301)
    standard("stale by the time of day", False, v1(timestamp=1_700_000_000), timestamp=1_700_000_000, now=None)
    for time in ("0", str(2**31), "253402300800", str(2**53), str(2**53 + 1), str(2**63), str(2**64 + NOW), "9" * 40,
                 "9" * 400, f"-{NOW}", f"+{NOW}", f" {NOW}", f"{NOW} ", f"{NOW}\n", f"{NOW}.0", "1.79e9", f"{NOW}000",
                 hex(NOW), "1_790_000_000", "NaN", "Infinity", "١٧٩٠٠٠٠٠٠٠", "yesterday"):
        shown = time if len(time) < 41 else f"{len(time)} nines"
        standard(f"the time {shown!r}", False, v1(timestamp=time), timestamp=time)
    standard("a time with zeros before it, as it was signed", True, v1(timestamp=f"00{NOW}"), timestamp=f"00{NOW}")
    standard("a time of 17 digits", False, v1(timestamp=f"{NOW:017}"), timestamp=f"{NOW:017}")
    standard("a time with zeros before it, as it was not", False, v1(), timestamp=f"00{NOW}")

    wrong = v1(OTHER_KEY)
    standard("two signatures, the first right", True, f"{v1()} {wrong}")
    standard("two signatures, the second right", True, f"{wrong} {v1()}")
    standard("two signatures, none right", False, f"{wrong} {v1(b'third')}")
    standard("rotation, by the new secret", True, f"{v1()} {v1(OTHER_KEY)}", key=WHSEC)
    standard("rotation, by the old secret", True, f"{v1()} {v1(OTHER_KEY)}", key=OTHER_WHSEC)
    standard("spaces around and between", True, f"  {wrong}   {v1()} ")
    standard("sixteen signatures", True, " ".join([wrong] * 15 + [v1()]))
    standard("seventeen signatures", False, " ".join([wrong] * 16 + [v1()]))
    standard("a version that nobody knows", True, f"v2,{v1()[3:]} {v1()}")
    standard("the right tag under another version", False, f"v2,{v1()[3:]}")
    standard("the right tag under v1a", False, f"v1a,{v1()[3:]}")
    standard("the right tag without a version", False, v1()[3:])
    standard("a version in upper case", False, f"V1,{v1()[3:]}")
    standard("a tab between", False, f"{wrong}\t{v1()}")
    standard("a line end between", False, f"{wrong}\n{v1()}")
    standard("a comma between", False, f"{wrong},{v1()}")
    standard("what is no ASCII, then the right one", True, f"v1,é☃ {v1()}")
    standard("a tag that is no base64", False, "v1,!!!!")
    standard("an empty tag", False, "v1,")
    standard("a version alone", False, "v1")
    standard("a tag that is cut", False, v1()[:-4])
    standard("a tag without its padding", False, v1().rstrip("="))
    standard("a tag with more padding", False, v1() + "=")
    standard("a tag in base64url", False, v1(body=b"x5").translate({ord("+"): "-", ord("/"): "_"}), body=b"x5")
    standard("a tag in hexadecimal", False, "v1," + base64.b64decode(v1()[3:]).hex())
    standard("a tag with a line end", False, v1() + "\n")

    injected = f"{ID}\r\nwebhook-timestamp: {NOW}"
    standard("an id with a line end", False, v1(identifier=injected), identifier=injected)
    for identifier in (f"{ID}\n", f" {ID}", "evt 1", "evt_1\x00", "evt_☃", "e" * 257):
        standard(f"the id {identifier if len(identifier) < 41 else '257 letters'!r}", False,
                 v1(identifier=identifier), identifier=identifier)
    standard("an id of 256 characters", True, v1(identifier="e" * 256), identifier="e" * 256)
    # The same signed bytes, cut at another full stop: a delivery of `{NOW}.{"a":1}` at an earlier time.
    shifted = f'{NOW}.{{"a":1}}'.encode()
    standard("a part of the body as the time", False, v1(timestamp=NOW - 9000, body=shifted),
             identifier=f"{ID}.{NOW - 9000}", body=b'{"a":1}')
    standard("a very long signature", False, "v1," + "A" * 10_000)


def asymmetric_vectors():
    def by(name, expected, signature, key=WHPK, **more):
        standard(f"by public key, {name}", expected, signature, key=key, **more)

    by("a genuine delivery", True, v1a())
    by("an empty body", True, v1a(body=b""), body=b"")
    by("a body that is no UTF-8", True, v1a(body=b"\xff\x00"), body=b"\xff\x00")
    by("beside a v1", True, f"{v1()} {v1a()}")
    standard("beside a v1a", True, f"{v1a()} {v1()}")
    by("rotation, by the new key", True, f"{v1a()} {v1a(OTHER_PRIVATE)}")
    by("rotation, by the old key", True, f"{v1a()} {v1a(OTHER_PRIVATE)}", key=OTHER_WHPK)
    by("a body with one byte changed", False, v1a(), body=BODY[:-1] + b"]")
    by("another key", False, v1a(OTHER_PRIVATE))
    by("another id", False, v1a(identifier="evt_2"))
    by("301 s ago", False, v1a(timestamp=NOW - 301), timestamp=NOW - 301)
    by("in 301 s", False, v1a(timestamp=NOW + 301), timestamp=NOW + 301)
    by("a v1 by the key as a secret", False, v1(RAW_PUBLIC))
    by("a v1 by the text as a secret", False, v1(WHPK.encode()))
    by("the right signature under v1", False, "v1," + v1a()[4:])
    by("a v1 alone", False, v1())
    by("a signature that is no base64", False, "v1a,!!!!")
    by("a signature that is cut", False, "v1a," + b64(base64.b64decode(v1a()[4:])[:-1]))
    by("a signature of no bytes", False, "v1a,")
    by("a signature of zeros", False, "v1a," + b64(bytes(64)))
    by("one that cannot be read, then the right one", True, f"v1a,!!!! v1a,é {v1a()}")
    by("without padding", False, v1a().rstrip("="))
    by("a key of 31 bytes", False, v1a(), key="whpk_" + b64(RAW_PUBLIC[:-1]))
    by("a key of 33 bytes", False, v1a(), key="whpk_" + b64(RAW_PUBLIC + b"\0"))
    by("a key that is no point", False, v1a(), key="whpk_" + b64(b"\x02" + bytes(31)))
    by("a key that is no base64", False, v1a(), key="whpk_!!!!")
    by("a key of no bytes", False, v1a(), key="whpk_")


def hub_vectors():
    def tag(secret=TEXT, body=BODY):
        return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

    def hub(name, expected, headers, key=TEXT, body=BODY):
        add(f"hub: {name}", "hub", key, headers, body, expected)

    both = {"X-Hub-Signature-256": f"sha256={tag()}", "X-Webhook-Signature": f"sha256={tag()}"}
    hub("a genuine delivery", True, both)
    hub("X-Hub-Signature-256 alone", True, {"x-hub-signature-256": f"sha256={tag()}"})
    hub("X-Webhook-Signature alone", True, {"X-WEBHOOK-SIGNATURE": f"sha256={tag()}"})
    hub("no header", False, {"X-Hub-Signature": f"sha256={tag()}"})
    hub("a header twice", False, {"X-Hub-Signature-256": [f"sha256={tag()}"] * 2})
    github = "It's a Secret to Everybody"
    golden = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert tag(github, b"Hello, World!") == golden
    hub("the example of GitHub", True, {"X-Hub-Signature-256": f"sha256={golden}"}, github, b"Hello, World!")
    hub("upper-case hexadecimal", True, {"X-Hub-Signature-256": f"sha256={tag().upper()}"})
    hub("an empty body", True, {"X-Hub-Signature-256": f"sha256={tag(body=b'')}"}, body=b"")
    binary = bytes([255, 0])
    hub("a body that is no UTF-8", True, {"X-Hub-Signature-256": f"sha256={tag(body=binary)}"}, body=binary)
    hub("a secret with its prefix is text", True, {"X-Hub-Signature-256": f"sha256={tag(WHSEC)}"}, key=WHSEC)
    hub("a secret in UTF-8", True, {"X-Hub-Signature-256": f"sha256={tag('pässwörd ☃')}"}, key="pässwörd ☃")
    hub("a body with one byte changed", False, both, body=BODY.replace(b"12.50", b"92.50"))
    hub("another secret", False, both, key=OTHER_TEXT)
    hub("the bytes of a hexadecimal secret", False, {
        "X-Hub-Signature-256": "sha256=" + hmac.new(bytes.fromhex(TEXT), BODY, hashlib.sha256).hexdigest()})
    hub("no secret", False, {"X-Hub-Signature-256": f"sha256={tag('')}"}, key="")
    for name, value in {
        "no prefix": tag(),
        "another hash before it": f"sha1={tag()}",
        "SHA-1": "sha1=" + hmac.new(TEXT.encode(), BODY, hashlib.sha1).hexdigest(),
        "an empty tag": "sha256=",
        "an odd length": f"sha256={tag()[:-1]}",
        "a cut tag": f"sha256={tag()[:-2]}",
        "a longer tag": f"sha256={tag()}00",
        "no hexadecimal": "sha256=" + "g" * 64,
        "base64": "sha256=" + b64(bytes.fromhex(tag())),
        "a space before": f" sha256={tag()}",
        "a space after": f"sha256={tag()} ",
        "a line end after": f"sha256={tag()}\n",
        "no ASCII": "sha256=" + "é" * 32,
        "two in one": f"sha256={tag()},sha256={tag()}",
    }.items():
        hub(name, False, {"X-Hub-Signature-256": value})


def timestamped_vectors():
    def tag(secret=TEXT, body=BODY, time=NOW):
        return hmac.new(secret.encode(), str(time).encode() + b"." + body, hashlib.sha256).hexdigest()

    def timestamped(name, expected, value, key=TEXT, body=BODY, now=NOW):
        headers = {"X-Hookport-Signature": value}
        add(f"timestamped: {name}", "timestamped", key, headers, body, expected, now)

    good, bad = tag(), tag(OTHER_TEXT)
    timestamped("a genuine delivery", True, f"t={NOW},v1={good}")
    add("timestamped: no header", "timestamped", TEXT, {"X-Signature": f"t={NOW},v1={good}"}, BODY, False)
    add("timestamped: the name in lower case", "timestamped", TEXT, {"x-hookport-signature": f"t={NOW},v1={good}"},
        BODY, True)
    timestamped("the header twice", False, [f"t={NOW},v1={good}"] * 2)
    golden = "be310eac0f84daf469d630347a950258de768b365563ab68f29f2f783473d547"
    assert tag("shh", b'{"a":1}', 1_700_000_000) == golden
    timestamped("a golden vector", True, f"t=1700000000,v1={golden}", "shh", b'{"a":1}', 1_700_000_000)
    timestamped("stale by the time of day", False, f"t=1700000000,v1={golden}", "shh", b'{"a":1}', None)
    for name, value in {
        "the other order": f"v1={good},t={NOW}",
        "spaces and tabs": f" t={NOW} ,\tv1={good} ",
        "rotation, the first right": f"t={NOW},v1={good},v1={bad}",
        "rotation, the second right": f"t={NOW},v1={bad},v1={good}",
        "rotation around the time": f"v1={bad},t={NOW},v1={good}",
        "other parts": f"t={NOW},v0=x,v1={good},key,=,v2={bad}",
        "upper-case hexadecimal": f"t={NOW},v1={good.upper()}",
        "no ASCII, then the right one": f"t={NOW},v1=é,v1={good}",
        "an empty part": f"t={NOW},,v1={good},",
        "sixteen parts": f"t={NOW}" + f",v1={bad}" * 14 + f",v1={good}",
    }.items():
        timestamped(name, True, value)
    for name, value in {
        "empty": "",
        "none right": f"t={NOW},v1={bad}",
        "another time": f"t={NOW - 1},v1={good}",
        "no time": f"v1={good}",
        "an empty time": f"t=,v1={good}",
        "two times": f"t={NOW},t={NOW},v1={good}",
        "two times, one stale": f"t={NOW - 9000},v1={good},t={NOW}",
        "no tag": f"t={NOW}",
        "an empty tag": f"t={NOW},v1=",
        "another version": f"t={NOW},v0={good}",
        "names in upper case": f"T={NOW},V1={good}",
        "seventeen parts": f"t={NOW}" + f",v1={bad}" * 15 + f",v1={good}",
        "semicolons": f"t={NOW};v1={good}",
        "spaces around the sign": f"t = {NOW},v1 = {good}",
        "a cut tag": f"t={NOW},v1={good[:-2]}",
        "a line end after": f"t={NOW},v1={good}\n",
        "no hexadecimal": f"t={NOW},v1={'g' * 64}",
    }.items():
        timestamped(name, False, value)
    refused = ("9" * 40, f"{NOW:017}", str(2**64 + NOW), f"-{NOW}", f"+{NOW}", f"{NOW}.0", f"{NOW}000", "١٧٩٠٠٠٠٠٠٠")
    judged = {NOW - 300: True, NOW - 301: False, NOW + 300: True, NOW + 301: False, f"00{NOW}": True}
    for time, expected in (judged | dict.fromkeys(refused, False)).items():
        shown = f"{time - NOW:+} s" if isinstance(time, int) else time
        timestamped(f"the time {shown}", expected, f"t={time},v1={tag(time=time)}")
    timestamped("a body with one byte changed", False, f"t={NOW},v1={good}", body=BODY.replace(b"12.50", b"92.50"))
    timestamped("an empty body", True, f"t={NOW},v1={tag(body=b'')}", body=b"")
    binary = bytes([255, 0])
    timestamped("a body that is no UTF-8", True, f"t={NOW},v1={tag(body=binary)}", body=binary)
    timestamped("another secret", False, f"t={NOW},v1={good}", key=OTHER_TEXT)
    timestamped("no secret", False, f"t={NOW},v1={tag('')}", key="")
    shifted = f"{NOW}.{{}}".encode()
    value = f"t={NOW - 9000}.{NOW},v1={tag(time=NOW - 9000, body=shifted)}"
    timestamped("a part of the body as the time", False, value, body=b"{}")


def challenge_vectors():
    def challenge(name, body, expected):
        add(f"challenge: {name}", "challenge", None, {}, body, expected)

    value = "00112233445566778899aabbccddeeff" * 2
    body = f'{{"type":"webhook.challenge","challenge":"{value}"}}'
    # The golden vector of a challenge: the gateway signs just these bytes.
    tag = hmac.new(b"0123456789abcdef0123456789abcdef", body.encode(), hashlib.sha256).hexdigest()
    assert tag == "69a8fa48bb569e8dc861dc50842ee6a003648cb05d55887e8da3f85cf4074572"
    answer = f'{{"challenge":"{value}"}}'
    for name, text in {
        "a challenge": body,
        "the other order": f'{{"challenge":"{value}","type":"webhook.challenge"}}',
        "white space": f' {{\r\n\t"type" : "webhook.challenge" , "challenge" : "{value}" }}\n',
        "other members": '{"a":[1,-2.5e3,true,null,{"type":"y"},[],{}],"b":"\\"\\\\\\u00e9 ☃",' + body[1:],
        "nested 50 deep": '{"a":' + "[" * 50 + "]" * 50 + "," + body[1:],
        "an escaped letter": body.replace("webhook", "\\u0077ebhook"),
    }.items():
        challenge(name, text.encode(), answer)
    add("hub: a signed challenge", "hub", "0123456789abcdef0123456789abcdef", {"X-Hub-Signature-256": f"sha256={tag}"},
        body.encode(), True)
    for name, text in {
        "an event": BODY.decode(),
        "empty": "",
        "no JSON": "challenge",
        "a list": f"[{body}]",
        "a text": f'"{value}"',
        "null": "null",
        "a number": "1",
        "cut": body[:-1],
        "two of them": body * 2,
        "another type": body.replace("webhook.challenge", "webhook.challenged"),
        "no type": answer,
        "no value": '{"type":"webhook.challenge"}',
        "a type that is a list": body.replace('"webhook.challenge"', '["webhook.challenge"]'),
        "an empty value": body.replace(value, ""),
        "a number as the value": body.replace(f'"{value}"', "11"),
        "null as the value": body.replace(f'"{value}"', "null"),
        "a list as the value": body.replace(f'"{value}"', f'["{value}"]'),
        "mark-up": body.replace(value, "<script>"),
        "a quote": body.replace(value, '\\"'),
        "a line end": body.replace(value, value + "\\n"),
        "no ASCII": body.replace(value, "é"),
        "257 characters": body.replace(value, "a" * 257),
        "names in another case": body.replace('"type"', '"Type"'),
        "inside of data": f'{{"type":"a.b","data":{body}}}',
        "a mark of byte order": "\ufeff" + body,
        "too long": body + " " * 4096,
        "nested 2000 deep": "[" * 2000,
    }.items():
        challenge(name, text.encode(), None)
    challenge("no UTF-8", body.replace(value, "a").encode()[:-3] + b'\xff"}', None)
    challenge("no UTF-8 beside it", b'{"a":"\xff",' + body[1:].encode(), None)
    challenge("UTF-16", body.encode("utf-16-le"), None)
    challenge("256 characters", body.replace(value, "a_-Z" * 64).encode(), '{"challenge":"' + "a_-Z" * 64 + '"}')


def key_vectors():
    def keys(name, text, expected):
        add(f"keys: {name}", "keys", None, {}, text if isinstance(text, bytes) else json.dumps(text).encode(), expected)

    def jwk(raw, **more):
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "sk_1", "use": "sig", "alg": "EdDSA"} | more

    url_letters = b"\xfb\xff" * 16
    keys("one", {"keys": [jwk(RAW_PUBLIC)]}, [WHPK])
    keys("two", {"keys": [jwk(RAW_PUBLIC), jwk(OTHER_RAW_PUBLIC)]}, [WHPK, OTHER_WHPK])
    keys("none", {"keys": []}, [])
    keys("letters of base64url", {"keys": [jwk(url_letters)]}, ["whpk_" + b64(url_letters)])
    bare = jwk(RAW_PUBLIC)
    for name in ("kid", "use", "alg"):
        del bare[name]
    keys("without what may be left out", {"keys": [bare]}, [WHPK])
    keys("others among them", {"keys": [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, jwk(RAW_PUBLIC, kty="EC"), jwk(RAW_PUBLIC, crv="X25519"),
        jwk(RAW_PUBLIC, use="enc"), jwk(RAW_PUBLIC, x=5), jwk(RAW_PUBLIC, x="!!!!"), jwk(RAW_PUBLIC[:-1]),
        jwk(RAW_PUBLIC + b"\0"), 5, None, [], jwk(OTHER_RAW_PUBLIC)]}, [OTHER_WHPK])
    nothing = {"no JSON": b"<html>", "empty": b"", "a list": [], "no keys": {}, "null": b"null"}
    nothing |= {"nested 20000 deep": b"[" * 20_000}
    nothing |= {"keys that are no list": {"keys": "x"}, "keys that are null": {"keys": None}}
    for name, text in nothing.items():
        keys(name, text, [])


def main():
    standard_vectors()
    asymmetric_vectors()
    hub_vectors()
    timestamped_vectors()
    challenge_vectors()
    key_vectors()
    lines = ",\n".join("  " + json.dumps(vector) for vector in vectors)
    sys.stdout.write(f'{{"vectors": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
