"""Fails unless the bench webhook answers a repeated request with `"duplicate": true`.

A keyed run whose key was not understood would measure the path without a key and look the same.
"""

import hashlib
import hmac
import json
import sys
import urllib.request

SECRET = b"bench-secret-0123456789"
BODY = b'{"probe":"duplicate"}'


def post(url):
    signature = "sha256=" + hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    request = urllib.request.Request(url, data=BODY, headers=headers, method="POST")
    # A proxy from the environment would be asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: check_duplicate.py BASE_URL TENANT")
    url = f"{sys.argv[1]}/api/inbound/{sys.argv[2]}/bench"
    first, second = post(url), post(url)
    if second.get("duplicate") is not True or second.get("delivery_id") != first.get("delivery_id"):
        sys.exit(f"the repeated request was not a duplicate: {first} then {second}")


if __name__ == "__main__":
    main()
