// Verifies what Hookport delivers. Node 18 or later, no packages. Copy this file; docs/verify.md tells of it.
//
//     import { answerChallenge, verifyStandard } from "./verify.mjs";
//
//     // The signature is over the bytes that came. Express: this route needs express.raw, and before any express.json,
//     // because JSON that was parsed and written again is other bytes.
//     app.post("/hooks", express.raw({ type: () => true, limit: "1mb" }), (request, response) => {
//       const isGenuine = verifyStandard(process.env.HOOKPORT_SECRET, request.headers, request.body);
//       if (!isGenuine) return response.sendStatus(401);
//       const answer = answerChallenge(request.body);
//       if (answer !== null) return response.type("application/json").send(answer);
//       const event = JSON.parse(request.body);
//       response.sendStatus(204);
//     });
//
// Fastify: addContentTypeParser("*", { parseAs: "buffer" }, …). Next.js, Hono, Deno and Bun: await
// request.arrayBuffer(), before json() or text(). Lambda: Buffer.from(event.body, event.isBase64Encoded ? "base64" :
// "utf8").
//
// `headers` is a plain object (names in any case, values texts or lists of one text) or a Headers object; `body` a
// Buffer, Uint8Array, ArrayBuffer or text. What cannot be right is false; nothing that a sender sends makes these
// throw.

import { createHmac, timingSafeEqual, verify } from "node:crypto";

export const TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 16;
const MAX_CHALLENGE_BYTES = 4096;

/**
 * The dialect `standard`: `webhook-signature` over `{webhook-id}.{webhook-timestamp}.{body}`.
 *
 * `key` is a secret (`whsec_…`), for the signatures `v1`, or a public key (`whpk_…`), for the signatures `v1a`.
 */
export function verifyStandard(key, headers, body, now = Date.now() / 1000) {
  return safely(() => {
    const [id, timestamp, given] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((n) => one(headers, n));
    const bytes = bytesOf(body);
    // A full stop in the id would let a part of the body pass for the time.
    if (!key || !bytes || !/^[!-\-/-~]{1,256}$/.test(id ?? "") || !isRecent(timestamp, now) || !given) return false;
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]);
    const entries = given.split(" ").filter((entry) => entry !== "");
    if (entries.length > MAX_SIGNATURES) return false;
    if (key.startsWith("whpk_")) {
      const x = base64(key.slice(5));
      if (x?.length !== 32) return false;
      const publicKey = { format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") } };
      return entries.some((entry) => {
        const signature = entry.startsWith("v1a,") ? base64(entry.slice(4)) : null;
        return signature?.length === 64 && verify(null, signed, publicKey, signature);
      });
    }
    const secret = key.startsWith("whsec_") ? base64(key.slice(6)) : (base64(key) ?? Buffer.from(key));
    if (!secret?.length) return false;
    const expected = `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`;
    return entries.filter((entry) => equal(entry, expected)).length > 0;
  });
}

/** The dialect `hub`: `X-Hub-Signature-256` or `X-Webhook-Signature`, over the body alone. */
export function verifyHub(secret, headers, body) {
  return safely(() => {
    const given = one(headers, "x-hub-signature-256") ?? one(headers, "x-webhook-signature");
    const bytes = bytesOf(body);
    if (!secret || !bytes || !given?.startsWith("sha256=")) return false;
    return equal(given.slice(7).toLowerCase(), createHmac("sha256", secret).update(bytes).digest("hex"));
  });
}

/** The dialect `timestamped`: `X-Hookport-Signature: t=…,v1=…` over `{t}.{body}`. */
export function verifyTimestamped(secret, headers, body, now = Date.now() / 1000) {
  return safely(() => {
    const given = one(headers, "x-hookport-signature");
    const bytes = bytesOf(body);
    if (!secret || !bytes || !given) return false;
    const parts = given.split(",").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
    const [times, tags] = ["t=", "v1="].map((n) => parts.filter((p) => p.startsWith(n)).map((p) => p.slice(n.length)));
    if (parts.length > MAX_SIGNATURES || times.length !== 1 || !isRecent(times[0], now)) return false;
    const expected = createHmac("sha256", secret).update(`${times[0]}.`).update(bytes).digest("hex");
    return tags.filter((tag) => equal(tag.toLowerCase(), expected)).length > 0;
  });
}

/** The body to answer with, status 200 and `application/json`, if `body` is a challenge, else null. Verify first. */
export function answerChallenge(body) {
  return safely(() => {
    const bytes = bytesOf(body);
    if (!bytes || bytes.length > MAX_CHALLENGE_BYTES) return null;
    const { type, challenge } = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    const isChallenge = type === "webhook.challenge" && typeof challenge === "string";
    return isChallenge && /^[\w-]{1,256}$/.test(challenge) ? `{"challenge":"${challenge}"}` : null;
  }, null);
}

/** The Ed25519 keys in the text of a `jwks.json`, as `whpk_…`. A delivery is genuine if it is by one of them. */
export function publicKeys(jwks) {
  return safely(() => {
    const isOurs = (key) => key?.kty === "OKP" && key.crv === "Ed25519" && (key.use ?? "sig") === "sig";
    const isKey = ({ x }) => typeof x === "string" && Buffer.from(x, "base64url").toString("base64url") === x;
    const found = JSON.parse(jwks).keys.filter(isOurs).filter(isKey).map(({ x }) => Buffer.from(x, "base64url"));
    return found.filter((x) => x.length === 32).map((x) => `whpk_${x.toString("base64")}`);
  }, []);
}

function safely(judge, otherwise = false) {
  try {
    return judge();
  } catch {
    return otherwise;
  }
}

/** The value of the header, if there is just one. */
function one(headers, name) {
  const entries = typeof headers.entries === "function" ? [...headers.entries()] : Object.entries(headers);
  const values = entries.filter(([key]) => key.toLowerCase() === name).flatMap(([, value]) => value);
  return values.length === 1 && typeof values[0] === "string" ? values[0] : undefined;
}

/** Undefined for anything else, such as the object that a parser made of the body. */
function bytesOf(body) {
  if (typeof body === "string" || body instanceof ArrayBuffer) return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}

function isRecent(timestamp, now) {
  return /^[0-9]{1,15}$/.test(timestamp ?? "") && Math.abs(now - Number(timestamp)) <= TOLERANCE_SECONDS;
}

/** What the text stands for, if it is padded, canonical base64. */
function base64(text) {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

function equal(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
