// Has npm libraries that receivers use judge what the gateway delivers. outbound.py says what the lines are.
//
//     mkdir -p target/interop-node && cp tests/interop/{package.json,outbound.mjs} target/interop-node/
//     npm install --prefix target/interop-node --ignore-scripts --no-package-lock --no-audit --no-fund
//     node target/interop-node/outbound.mjs deliveries.jsonl docs/verifiers/verify.mjs
//
// The second argument is the verifier that receivers copy; it is judged as if it were a library. Each must accept the
// deliveries that are for it, and refuse them once one byte has changed. The exit status is 1 when any does not, and
// when one has had nothing to judge.

import { createHash, createHmac, createPublicKey, timingSafeEqual, verify as verifyRaw } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { verify as octokit } from "@octokit/webhooks-methods";
import cloudevents from "cloudevents";
import messageSignatures from "http-message-signatures";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const [deliveriesFile, verifierFile] = process.argv.slice(2);
const copied = await import(pathToFileURL(resolve(verifierFile)));
const ED25519_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** False if it throws one of these; any other error is a failure, not a refusal. */
function unless(errors, judge) {
  try {
    return judge() ?? true;
  } catch (error) {
    if (errors.some((refusal) => error instanceof refusal)) return false;
    throw error;
  }
}

function standardKey(secret) {
  const text = secret.replace(/^whsec_/, "");
  const isBase64 = Buffer.from(text, "base64").toString("base64") === text;
  return isBase64 ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
}

function standard({ secret, headers, body }) {
  return unless([WebhookVerificationError], () => {
    standardKey(secret).verify(body, headers, { jsonParse: false });
    return true;
  });
}

async function messageSignature(d) {
  const verify = async (data, signature, { alg }) => {
    if (alg !== "ed25519") {
      const tag = createHmac("sha256", d.secret).update(data).digest();
      return tag.length === signature.length && timingSafeEqual(tag, signature);
    }
    const raw = Buffer.from(d.public_key.replace(/^whpk_/, ""), "base64");
    const key = createPublicKey({ key: Buffer.concat([ED25519_PREFIX, raw]), format: "der", type: "spki" });
    return verifyRaw(null, data, key, signature);
  };
  // While a key is changed, the one before it signs as well; the key at hand is that of the first signature.
  const known = /^hookport=[^,]*;keyid="([^"]*)"/.exec(d.headers["signature-input"])?.[1];
  const keyLookup = async ({ keyid, alg }) => (keyid === known ? { algs: [alg], verify } : null);
  const config = { keyLookup, requiredFields: ["content-digest"] };
  // It leaves the digest of the body to its caller.
  const digest = `sha-256=:${createHash("sha256").update(d.body).digest("base64")}:`;
  return (await messageSignatures.httpbis.verifyMessage(config, d)) === true && digest === d.headers["content-digest"];
}

function cloudEvent({ headers, body }) {
  return unless([cloudevents.ValidationError, SyntaxError], () => {
    const event = cloudevents.HTTP.toEvent({ headers: { ...headers }, body: body.toString() });
    return event.validate() && event.id === headers["webhook-id"] && event.type === headers["hookport-event-type"];
  });
}

const last = /([A-Za-z0-9])(?=[^A-Za-z0-9]*$)/d;
const BODY = ["body", last];
const STANDARD = [BODY, ["webhook-id", last], ["webhook-timestamp", last]];
const HUB = [BODY, ["x-hub-signature-256", /sha256=(.)/d]];
const MESSAGE = [BODY, ["method", last], ["url", last], ["content-digest", /=:(.)/d], ["signature", /=:(.)/d],
  ["content-type", last], ["webhook-id", last], ["webhook-timestamp", last]];
const isV1 = ({ headers }) => /(^| )v1,/.test(headers["webhook-signature"] ?? "");
const isV1a = ({ headers }) => /(^| )v1a,/.test(headers["webhook-signature"] ?? "");
const isStructured = ({ headers }) => /^application\/cloudevents/.test(headers["content-type"] ?? "");
const isHub = ({ headers }) => "x-hub-signature-256" in headers;
const isTimestamped = ({ headers }) => "x-hookport-signature" in headers;

const judges = [
  ["standardwebhooks", isV1, standard, [...STANDARD, ["webhook-signature", /v1,(.)/dg]]],
  ["verify.mjs, v1", isV1, (d) => copied.verifyStandard(d.secret, d.headers, d.body),
    [...STANDARD, ["webhook-signature", /v1,(.)/dg]]],
  ["verify.mjs, v1a", isV1a, (d) => copied.verifyStandard(d.public_key, d.headers, d.body),
    [...STANDARD, ["webhook-signature", /v1a,(.)/dg]]],
  ["@octokit/webhooks-methods", isHub,
    (d) => octokit(d.secret, d.body.toString(), d.headers["x-hub-signature-256"]), HUB],
  ["verify.mjs, hub", isHub, (d) => copied.verifyHub(d.secret, d.headers, d.body), HUB],
  ["verify.mjs, timestamped", isTimestamped, (d) => copied.verifyTimestamped(d.secret, d.headers, d.body),
    [BODY, ["x-hookport-signature", /t=\d*(\d)/d], ["x-hookport-signature", /v1=(.)/dg]]],
  ["http-message-signatures", ({ headers }) => "signature-input" in headers, messageSignature, MESSAGE],
  ["cloudevents, binary", ({ headers }) => "ce-id" in headers, cloudEvent, [["ce-id", last], ["ce-type", last]]],
  ["cloudevents, structured", isStructured, cloudEvent, [["body", /"specversion":"(\d)/d], ["body", /"id":"(\w)/d]]],
];

/** Another character: a digit for a digit, a letter of its case for a letter. */
function other(character) {
  if (/\d/.test(character)) return String(Number(character) ^ 1);
  const [a, b] = character === character.toLowerCase() ? "ab" : "AB";
  return character === a ? b : a;
}

function spoiled(d, part, pattern) {
  const inHeaders = !["body", "method", "url"].includes(part);
  let text = inHeaders ? d.headers[part] : part === "body" ? d.body.toString("latin1") : d[part];
  const matches = pattern.global ? [...text.matchAll(pattern)] : [pattern.exec(text)].filter(Boolean);
  if (matches.length === 0) throw new Error(`nothing to spoil in ${part}`);
  for (const { indices } of matches) {
    const at = indices[1][0];
    text = text.slice(0, at) + other(text[at]) + text.slice(at + 1);
  }
  if (inHeaders) return { ...d, headers: { ...d.headers, [part]: text } };
  return { ...d, [part]: part === "body" ? Buffer.from(text, "latin1") : text };
}

const lines = readFileSync(deliveriesFile, "utf8").split("\n").filter((line) => line.trim() !== "");
const deliveries = lines.map((line) => {
  const item = JSON.parse(line);
  const headers = Object.fromEntries(Object.entries(item.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...item, headers, body: Buffer.from(item.body_base64, "base64") };
});
for (const [name, isFor, accepts, spoils] of judges) {
  const mine = deliveries.filter(isFor);
  const wrong = new Set(mine.length === 0 ? ["it had nothing to judge"] : []);
  for (const d of mine) {
    try {
      if (!(await accepts(d))) wrong.add(`${d.dialect}: refused as it was delivered`);
      for (const [part, pattern] of spoils) {
        if (await accepts(spoiled(d, part, pattern))) wrong.add(`${d.dialect}: accepted with another byte in ${part}`);
      }
    } catch (error) {
      wrong.add(`${d.dialect}: ${error}`);
    }
  }
  if (wrong.size > 0) process.exitCode = 1;
  console.log(wrong.size > 0 ? "FAILED" : "ok", name, `${mine.length} deliveries`, [...wrong].join("; "));
}
