<?php
// Calls the PHP client: a line of JSON for each call, and one for what came of it.
declare(strict_types=1);

require __DIR__ . '/../../../clients/php/Sidecast.php';

while (($line = fgets(STDIN)) !== false) {
    $call = json_decode($line, true);
    try {
        $client = new Sidecast\Client(...$call['client']);
        $told = $call['do'] === 'token'
            ? ['token' => $client->token($call['user'], $call['rooms'], 60)]
            : ['answer' => $client->broadcast(...array_diff_key($call, ['do' => 0, 'client' => 0, 'to' => 0]), ...$call['to'])];
    } catch (Sidecast\Error $error) {
        $told = ['status' => $error->status, 'code' => $error->code(), 'detail' => $error->getMessage()];
    } catch (ValueError $error) {
        $told = ['wrong' => $error->getMessage()];
    }
    echo json_encode($told), "\n";
    flush();
}
