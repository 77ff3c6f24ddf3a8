<?php
// Calls every operation through PHP's SoapClient; ../interop_test.py says what goes in and out.
$question = json_decode(stream_get_contents(STDIN), true);
$clients = [];
foreach ($question['wsdl'] as $service => $url) {
    $clients[$service] = new SoapClient($url, ['cache_wsdl' => WSDL_CACHE_NONE, 'connection_timeout' => 30,
                                               'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
}

// The parameters as one piece of XML, each in a CDATA section.
function in_cdata(string $operation, array $parameters): SoapVar
{
    $xml = '';
    foreach ($parameters as $name => $value) {
        $xml .= "<$name><![CDATA[$value]]></$name>";
    }
    return new SoapVar("<tns:$operation xmlns:tns=\"http://www.example.com/\">$xml</tns:$operation>", XSD_ANYXML);
}

// What the wrapper of an answer holds.
function unwrap(string $operation, object $answer): mixed
{
    switch ($operation) {
        case 'SendInvite':
            return count((array)$answer) === 0 ? null : $answer;
        case 'GetRolesForOpenID':
            return $answer->AppRole ?? [];
        case 'GetDisplayName':
            return $answer->Result;
    }
    $person = $answer->UserProfile;
    $members = [];
    foreach (['OpenId', 'DisplayName', 'EmailAddress', 'JobTitle', 'Department', 'Location', 'Bio', 'Website', 'Phone',
              'Skype', 'CompanyId', 'Company'] as $name) {
        $members[$name] = $person->$name;
    }
    return $members + ['UserProfile_Company' => $person->UserProfile_Company->Company];
}

$answers = [];
foreach ($question['calls'] as $call) {
    ['service' => $service, 'operation' => $operation, 'parameters' => $parameters, 'cdata' => $cdata] = $call;
    try {
        $answer = $clients[$service]->$operation($cdata ? in_cdata($operation, $parameters) : $parameters);
        $answers[] = ['done' => true, 'answer' => unwrap($operation, $answer)];
    } catch (SoapFault $fault) {
        $answers[] = ['done' => false, 'faultcode' => $fault->faultcode, 'faultstring' => $fault->faultstring,
                      'detail' => json_encode($fault->detail)];
    }
}
echo json_encode($answers);
