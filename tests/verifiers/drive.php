<?php

// Judges docs/verifiers/verify.php by vectors.json, which is the argument: prints `ok N`, or the names that failed.

declare(strict_types=1);

require __DIR__ . '/../../docs/verifiers/verify.php';

set_error_handler(fn (int $level, string $message) => throw new ErrorException($message, 0, $level));

function judge(array $vector): mixed
{
    ['key' => $key, 'headers' => $headers, 'now' => $now] = $vector;
    $body = base64_decode($vector['body_base64'], true);
    return match ($vector['function']) {
        'standard' => Hookport\verify_standard($key, $headers, $body, $now),
        'hub' => Hookport\verify_hub($key, $headers, $body),
        'timestamped' => Hookport\verify_timestamped($key, $headers, $body, $now),
        'challenge' => Hookport\answer_challenge($body),
        'keys' => Hookport\public_keys($body),
    };
}

$vectors = json_decode(file_get_contents($argv[1]), true, flags: JSON_THROW_ON_ERROR)['vectors'];
$failed = [];
$judged = 0;
foreach ($vectors as $vector) {
    if (!extension_loaded('sodium') && str_starts_with($vector['key'] ?? '', 'whpk_')) {
        continue;
    }
    $judged++;
    if (judge($vector) !== $vector['expected']) {
        $failed[] = $vector['name'];
    }
    // As they are in $_SERVER.
    $server = [];
    foreach ($vector['headers'] as $name => $value) {
        $server['HTTP_' . strtr(strtoupper($name), '-', '_')] = $value;
    }
    if ($vector['expected'] === true && !judge(['headers' => $server] + $vector)) {
        $failed[] = "{$vector['name']}, from \$_SERVER";
    }
}

// What a framework may hand over in place of texts.
foreach ([null, 5, true, [], [[]], [null, null], new stdClass(), "\xff"] as $odd) {
    $names = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'X-Hub-Signature-256', 'X-Hookport-Signature'];
    foreach ([array_fill_keys($names, $odd), [$odd], [[$odd]]] as $headers) {
        $calls = ['Hookport\verify_standard', 'Hookport\verify_hub', 'Hookport\verify_timestamped'];
        foreach ($calls as $call) {
            if ($call('whsec_AAAA', $headers, '')) {
                $failed[] = "$call, handed " . get_debug_type($odd);
            }
        }
    }
}

$left_out = count($vectors) - $judged;
$more = $left_out ? " ($left_out need the extension sodium)" : '';
echo $failed === [] ? "ok $judged$more\n" : 'failed: ' . implode('; ', $failed) . "\n";
exit($failed === [] ? 0 : 1);
