// Calls every operation through strong-soap; ../interop_test.py says what goes in and out.
'use strict';

const {promisify} = require('node:util');
const {soap} = require('strong-soap');

const createClient = promisify(soap.createClient);

// A text that begins and ends like a CDATA section is sent as one. The client must be told not to indent then: it would
// put line breaks around the section, and they would be part of the text.
const inCData = parameters =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, `<![CDATA[${value}]]>`]));

// What the wrapper of an answer holds.
function unwrap(operation, answer) {
  switch (operation) {
    case 'SendInvite': return answer ?? null;
    case 'GetRolesForOpenID': return answer?.AppRole ?? [];
    case 'GetDisplayName': return answer.Result;
  }
  const person = answer.UserProfile;
  const names = ['OpenId', 'DisplayName', 'EmailAddress', 'JobTitle', 'Department', 'Location', 'Bio', 'Website',
    'Phone', 'Skype', 'CompanyId', 'Company'];
  return {...Object.fromEntries(names.map(name => [name, person[name] ?? null])),
    UserProfile_Company: person.UserProfile_Company.Company};
}

async function make(clients, {service, operation, parameters, cdata}) {
  try {
    const {result} = await clients[service][cdata][operation](cdata ? inCData(parameters) : parameters);
    return {done: true, answer: unwrap(operation, result)};
  } catch (error) {
    const fault = error.root?.Envelope?.Body?.Fault;
    if (!fault) throw error;
    return {done: false, faultcode: fault.faultcode, faultstring: fault.faultstring, detail: JSON.stringify(fault.detail)};
  }
}

async function main() {
  const question = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const clients = {};
  for (const [service, url] of Object.entries(question.wsdl))
    clients[service] = {false: await createClient(url, {}), true: await createClient(url, {prettyPrint: false})};
  const answers = [];
  for (const call of question.calls) answers.push(await make(clients, call));
  return answers;
}

main().then(answers => console.log(JSON.stringify(answers)), error => {
  console.error(error);
  process.exitCode = 1;
});
