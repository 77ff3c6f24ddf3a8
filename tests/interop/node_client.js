// Calls SendInvite through node-soap; see interop_test.py for what goes in and out.
'use strict';

const soap = require('soap');

async function main() {
  const question = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const client = await soap.createClientAsync(question.wsdl);
  try {
    await client.SendInviteAsync(question.parameters);
    return {done: true};
  } catch (error) {
    const fault = error.root?.Envelope?.Body?.Fault;
    if (!fault) throw error;
    return {done: false, faultcode: fault.faultcode, faultstring: fault.faultstring, detail: JSON.stringify(fault.detail)};
  }
}

main().then(answer => console.log(JSON.stringify(answer)), error => {
  console.error(error);
  process.exitCode = 1;
});
