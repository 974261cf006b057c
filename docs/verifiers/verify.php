<?php

/*
 * Verifies what Hookport delivers. PHP 8.0 or later, no packages. Copy this file; docs/verify.md tells of it.
 * Public keys (`whpk_…`) need the extension sodium, which PHP brings along.
 *
 *     require __DIR__ . '/verify.php';
 *
 *     $body = file_get_contents('php://input');
 *     if (!Hookport\verify_standard(getenv('HOOKPORT_SECRET'), getallheaders(), $body)) {
 *         http_response_code(401);
 *         exit;
 *     }
 *     if (($answer = Hookport\answer_challenge($body)) !== null) {
 *         header('Content-Type: application/json');
 *         exit($answer);
 *     }
 *     $event = json_decode($body, true);
 *
 * The signature is over the bytes that came; JSON that was parsed and written again is other bytes, and `$_POST` holds
 * none of them. Laravel and Symfony: `$request->getContent()` and `$request->headers->all()`, on a route without CSRF
 * protection. PSR-7: `(string) $request->getBody()` and `$request->getHeaders()`.
 *
 * `$headers` is an array: names in any case (or as in `$_SERVER`), values texts or lists of one text. What cannot be
 * right is false; nothing that a sender sends makes these throw.
 */

declare(strict_types=1);

namespace Hookport;

const TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 16;
const MAX_CHALLENGE_BYTES = 4096;

/**
 * The dialect `standard`: `webhook-signature` over `{webhook-id}.{webhook-timestamp}.{body}`.
 *
 * `$key` is a secret (`whsec_…`), for the signatures `v1`, or a public key (`whpk_…`), for the signatures `v1a`.
 */
function verify_standard(string $key, array $headers, string $body, ?int $now = null): bool
{
    if (str_starts_with($key, 'whpk_') && !function_exists('sodium_crypto_sign_verify_detached')) {
        throw new \RuntimeException('a public key needs the extension sodium');
    }
    $id = one($headers, 'webhook-id') ?? '';
    $timestamp = one($headers, 'webhook-timestamp') ?? '';
    $given = one($headers, 'webhook-signature') ?? '';
    // A full stop in the id would let a part of the body pass for the time.
    if ($key === '' || !preg_match('#\A[!-\-/-~]{1,256}\z#', $id) || !is_recent($timestamp, $now)) {
        return false;
    }
    $signed = "$id.$timestamp.$body";
    $entries = array_filter(explode(' ', $given), fn ($entry) => $entry !== '');
    if (count($entries) > MAX_SIGNATURES) {
        return false;
    }
    $holds = false;
    if (str_starts_with($key, 'whpk_')) {
        $public = base64(substr($key, 5));
        if ($public === null || strlen($public) !== 32) {
            return false;
        }
        foreach ($entries as $entry) {
            $signature = str_starts_with($entry, 'v1a,') ? base64(substr($entry, 4)) : null;
            if ($signature !== null && strlen($signature) === 64) {
                $holds = $holds || sodium_crypto_sign_verify_detached($signature, $signed, $public);
            }
        }
        return $holds;
    }
    $secret = str_starts_with($key, 'whsec_') ? base64(substr($key, 6)) : (base64($key) ?? $key);
    if ($secret === null || $secret === '') {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $secret, true));
    foreach ($entries as $entry) {
        $holds = hash_equals($expected, $entry) || $holds;
    }
    return $holds;
}

/** The dialect `hub`: `X-Hub-Signature-256` or `X-Webhook-Signature`, over the body alone. */
function verify_hub(string $secret, array $headers, string $body): bool
{
    $given = one($headers, 'x-hub-signature-256') ?? one($headers, 'x-webhook-signature') ?? '';
    if ($secret === '' || !str_starts_with($given, 'sha256=')) {
        return false;
    }
    return hash_equals(hash_hmac('sha256', $body, $secret), strtolower(substr($given, 7)));
}

/** The dialect `timestamped`: `X-Hookport-Signature: t=…,v1=…` over `{t}.{body}`. */
function verify_timestamped(string $secret, array $headers, string $body, ?int $now = null): bool
{
    $times = $tags = [];
    $parts = explode(',', one($headers, 'x-hookport-signature') ?? '');
    foreach ($parts as $part) {
        $part = trim($part, " \t");
        if (str_starts_with($part, 't=')) {
            $times[] = substr($part, 2);
        } elseif (str_starts_with($part, 'v1=')) {
            $tags[] = strtolower(substr($part, 3));
        }
    }
    if ($secret === '' || count($parts) > MAX_SIGNATURES || count($times) !== 1 || !is_recent($times[0], $now)) {
        return false;
    }
    $expected = hash_hmac('sha256', "$times[0].$body", $secret);
    $holds = false;
    foreach ($tags as $tag) {
        $holds = hash_equals($expected, $tag) || $holds;
    }
    return $holds;
}

/** The body to answer with, status 200 and `application/json`, if `$body` is a challenge, else null. Verify first. */
function answer_challenge(string $body): ?string
{
    $members = strlen($body) > MAX_CHALLENGE_BYTES ? null : json_decode($body, true);
    if (!is_array($members) || ($members['type'] ?? null) !== 'webhook.challenge') {
        return null;
    }
    $challenge = $members['challenge'] ?? null;
    if (!is_string($challenge) || !preg_match('/\A[0-9A-Za-z_-]{1,256}\z/', $challenge)) {
        return null;
    }
    return "{\"challenge\":\"$challenge\"}";
}

/** The Ed25519 keys in the text of a `jwks.json`, as `whpk_…`. A delivery is genuine if it is by one of them. */
function public_keys(string $jwks): array
{
    $set = json_decode($jwks, true);
    $found = [];
    foreach (is_array($set) && is_array($set['keys'] ?? null) ? $set['keys'] : [] as $key) {
        if (!is_array($key) || ($key['kty'] ?? null) !== 'OKP' || ($key['crv'] ?? null) !== 'Ed25519') {
            continue;
        }
        $x = is_string($key['x'] ?? null) ? base64(strtr($key['x'], '-_', '+/') . '=') : null;
        if ($x !== null && strlen($x) === 32 && ($key['use'] ?? 'sig') === 'sig') {
            $found[] = 'whpk_' . base64_encode($x);
        }
    }
    return $found;
}

/** The value of the header, if there is just one. */
function one(array $headers, string $name): ?string
{
    $names = [$name, 'http_' . strtr($name, '-', '_')];
    $found = [];
    foreach ($headers as $key => $value) {
        if (in_array(strtolower((string) $key), $names, true)) {
            $found = array_merge($found, is_array($value) ? array_values($value) : [$value]);
        }
    }
    return count($found) === 1 && is_string($found[0]) ? $found[0] : null;
}

function is_recent(string $timestamp, ?int $now): bool
{
    return preg_match('/\A[0-9]{1,15}\z/', $timestamp) === 1
        && abs(($now ?? time()) - (int) $timestamp) <= TOLERANCE_SECONDS;
}

/** What the text stands for, if it is padded, canonical base64. */
function base64(string $text): ?string
{
    $found = base64_decode($text, true);
    return $found !== false && base64_encode($found) === $text ? $found : null;
}
