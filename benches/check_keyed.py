"""Fails unless the bench webhook's newest request was kept with an idempotency key.

A keyed run whose key was not understood would measure the path without a key and look the same.
"""

import json
import sys
import urllib.request


def get(url, token):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    # A proxy from the environment would be asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)["data"]


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: check_keyed.py BASE_URL TOKEN")
    webhooks = f"{sys.argv[1]}/api/v1/inbound-webhooks"
    webhook = get(webhooks, sys.argv[2])[0]["id"]
    newest = get(f"{webhooks}/{webhook}/deliveries?limit=1", sys.argv[2])[0]
    if not newest.get("idempotency_key"):
        sys.exit(f"the newest request was kept without a key: {newest}")


if __name__ == "__main__":
    main()
