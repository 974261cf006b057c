// Judges docs/verifiers/verify.mjs by vectors.json, which is the argument: prints `ok N`, or the names that failed.

import { readFileSync } from "node:fs";
import * as verifiers from "../../docs/verifiers/verify.mjs";

const { answerChallenge, publicKeys, verifyHub, verifyStandard, verifyTimestamped } = verifiers;

const judge = ({ function: called, key, headers, body_base64, now }) => {
  const body = Buffer.from(body_base64, "base64");
  return {
    standard: () => verifyStandard(key, headers, body, now ?? undefined),
    hub: () => verifyHub(key, headers, body),
    timestamped: () => verifyTimestamped(key, headers, body, now ?? undefined),
    challenge: () => answerChallenge(body),
    keys: () => publicKeys(body),
  }[called]();
};

const { vectors } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const failed = vectors.filter((vector) => JSON.stringify(judge(vector)) !== JSON.stringify(vector.expected));
const names = failed.map(({ name }) => name);

// What a parser or a framework may hand over in place of bytes and headers.
for (const odd of [undefined, null, 5, true, {}, [], { type: "webhook.challenge" }, Symbol("x"), () => 1]) {
  const calls = [
    ...[verifyStandard, verifyHub, verifyTimestamped].flatMap((verify) => [
      () => verify("whsec_AAAA", {}, odd) === false,
      () => verify("whsec_AAAA", odd, "") === false,
      () => verify(odd, { "webhook-id": odd, "X-Hub-Signature-256": [odd], "X-Hookport-Signature": odd }, "") === false,
    ]),
    () => answerChallenge(odd) === null,
    () => publicKeys(odd).length === 0,
  ];
  if (!calls.every((call) => call())) names.push(`handed ${String(odd)}`);
}

// The forms of a body and of headers.
const hub = vectors.find(({ name }) => name === "hub: a genuine delivery");
const bytes = new Uint8Array(Buffer.from(hub.body_base64, "base64"));
for (const body of [bytes, bytes.buffer, Buffer.from(bytes), Buffer.from(bytes).toString()]) {
  if (!verifyHub(hub.key, new Headers(hub.headers), body)) names.push(`a body of ${body.constructor.name}`);
}

console.log(names.length === 0 ? `ok ${vectors.length}` : `failed: ${names.join("; ")}`);
process.exitCode = names.length === 0 ? 0 : 1;
