<?php
/*
 * Publishing to Sidecast, for PHP 8.1 and later; no extension is needed (openssl for https).
 *
 *     $client = new Sidecast\Client('http://127.0.0.1:7411', 'sk_...');
 *     $client->broadcast('task.moved', ['task' => 12], room: 'project:7')['recipients'];
 *
 * Whatever a call has to send twice carries one Idempotency-Key, so it is published once.
 */
declare(strict_types=1);

namespace Sidecast;

/** A publish that was refused, or whose answer never came (status 0). */
class Error extends \RuntimeException
{
    public function __construct(
        public readonly int $status,
        public readonly array $problem, // the whole answer, with `errors` and their pointers
    ) {
        parent::__construct($this->code() . ': ' . self::text($problem['detail'] ?? ''));
    }

    public function code(): string
    {
        return self::text($this->problem['code'] ?? "HTTP {$this->status}");
    }

    private static function text(mixed $value): string
    {
        return is_scalar($value) ? (string) $value : json_encode($value);
    }
}

class Client
{
    private const AGENT = 'sidecast-php/0.1.0';
    private const PAUSE_MAX = 5.0;
    private const PASSING = [408, 409, 429, 500, 502, 503, 504]; // 409: the first try is still on its way

    private string $url;
    private string $key;
    private string $secret;

    /**
     * $url and $key default to SIDECAST_URL and SIDECAST_API_KEY, $secret (only for tokens)
     * to SIDECAST_AUTH_JWT_HMAC_SECRET; blanks and line ends around them do not count.
     * $timeout is how many seconds each of the $tries waits for a byte.
     */
    public function __construct(
        ?string $url = null,
        ?string $key = null,
        private float $timeout = 2.0,
        ?string $secret = null,
        private bool $fail_silently = false,
        private int $tries = 3,
    ) {
        $this->url = rtrim(trim($url ?? (getenv('SIDECAST_URL') ?: 'http://127.0.0.1:7411')), '/');
        $this->key = trim($key ?? (getenv('SIDECAST_API_KEY') ?: ''));
        $this->secret = $secret !== null ? trim($secret) : (getenv('SIDECAST_AUTH_JWT_HMAC_SECRET') ?: '');
        if (!preg_match('~^https?://[^/\s]~', $this->url))
            throw new \ValueError('the url of a Sidecast publisher begins with http:// or https://');
        if (!preg_match('~^[\x21-\x7e]*$~D', $this->key))
            throw new \ValueError('the key of a Sidecast publisher is one word of ASCII');
    }

    /**
     * Gives the answer: id, recipients, position and more; null when it failed silently.
     * $more is one of room, rooms, user, users, sockets and all, unless the catalog of the
     * server knows where the event goes; and args, except, ttl, volatile, id, ...
     * Without $data the event has none; null is null.
     */
    public function broadcast(string $event, mixed $data = null, mixed ...$more): ?array
    {
        $given = func_num_args() > 1 && !isset($more['args']);
        $body = ['event' => $event] + ($given ? ['data' => $data] : []) + $more;
        $body['id'] ??= bin2hex(random_bytes(16));
        $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES |
            JSON_PRESERVE_ZERO_FRACTION;
        try {
            return $this->send(json_encode($body, $flags), $body['id']);
        } catch (Error $error) {
            if ($this->fail_silently)
                return null;
            throw $error;
        }
    }

    /** Gives a token with which a client of this user connects, for $ttl seconds. */
    public function token(string|int $user, array $rooms = [], int $ttl = 3600, mixed ...$claims): string
    {
        if ($this->secret === '')
            throw new \ValueError('a token needs the secret that the server checks tokens with');
        $claims = ['sub' => (string) $user, 'rooms' => array_values($rooms), 'exp' => time() + $ttl] + $claims;
        $signed = self::part(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' .
            self::part(json_encode($claims, JSON_THROW_ON_ERROR));
        return $signed . '.' . self::part(hash_hmac('sha256', $signed, $this->secret, true));
    }

    private function send(string $body, string $id): array
    {
        for ($tried = 1; ; $tried++) {
            [$status, $pause, $answer] = $this->post($body, $id);
            if ($status >= 200 && $status < 300)
                return $answer;
            if ($tried >= $this->tries || ($status && !in_array($status, self::PASSING, true)))
                throw new Error($status, $answer);
            usleep((int) (1e6 * self::pause($pause, $tried)));
        }
    }

    /** Gives status (0: no answer), Retry-After, body. A connection of its own each time. */
    private function post(string $body, string $id): array
    {
        $headers = ['Content-Type: application/json', "Idempotency-Key: $id", 'Connection: close',
            'User-Agent: ' . self::AGENT];
        if ($this->key !== '')
            $headers[] = "Authorization: Bearer {$this->key}";
        $http = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'protocol_version' => 1.1,
            'timeout' => $this->timeout, 'ignore_errors' => true, 'follow_location' => 0];
        $http_response_header = []; // PHP fills it
        $text = @file_get_contents("{$this->url}/broadcast", false, stream_context_create(['http' => $http]));
        if (!preg_match('~^HTTP/\S+ (\d{3})~', $http_response_header[0] ?? '', $found) || $text === false)
            return self::unreachable(error_get_last()['message'] ?? 'no answer');
        foreach ($http_response_header as $line)
            if (preg_match('~^Retry-After:\s*(\d+)\s*$~i', $line, $asked))
                $pause = (float) $asked[1];
        $answer = json_decode($text, true);
        if ($found[1] < 300 && !isset($answer['id'])) // somebody else's, or not all of it
            return self::unreachable("an answer that is not Sidecast's: " . substr($text, 0, 200));
        return [(int) $found[1], $pause ?? null, is_array($answer) ? $answer : ['detail' => substr($text, 0, 200)]];
    }

    private static function unreachable(string $detail): array
    {
        return [0, null, ['code' => 'E_UNREACHABLE', 'detail' => $detail]];
    }

    /** What the server asks for, or a little more each time; never all callers at once. */
    private static function pause(?float $retry_after, int $tried): float
    {
        return min($retry_after ?? 0.1 * 2 ** $tried, self::PAUSE_MAX) * (1 + mt_rand() / mt_getrandmax() / 4);
    }

    private static function part(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }
}
