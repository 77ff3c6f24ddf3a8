<?php
// Calls SendInvite through PHP's SoapClient; see interop_test.py for what goes in and out.
$question = json_decode(stream_get_contents(STDIN), true);
$client = new SoapClient($question['wsdl'], ['cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true,
                                             'connection_timeout' => 30]);
try {
    $answer = $client->SendInvite($question['parameters']);
    if (count((array)$answer) !== 0) {
        throw new RuntimeException('an answer with something in it: ' . print_r($answer, true));
    }
    echo json_encode(['done' => true]);
} catch (SoapFault $fault) {
    echo json_encode(['done' => false, 'faultcode' => $fault->faultcode, 'faultstring' => $fault->faultstring,
                      'detail' => json_encode($fault->detail)]);
}
