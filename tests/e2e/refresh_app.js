// An app as invited sees it: node-soap's server offers RefreshAPI, and on RefreshUserPermissions asks GetRolesForOpenID
// back before it answers; clears the person's roles and sets what it was told; a fault leaves them as they were. See
// refresh_test.py and app_life_test.py.
//
// Reads one JSON object for each line of standard input and writes one for each line of standard output:
//   {"wsdl": RefreshAPI's text, "port": …, "permissions": url, "profile": url, "displayName": url,
//    "environment": …, "password": …}      first; answered by {"listening": port}
//   {"password": …}                        from now on
//   {"call": "GetUserProfile" | "GetDisplayName" | "GetRolesForOpenID", "openid": …}
//                                          answered by {"result": …} or {"fault": …, "code": …}
// and whenever it was told of somebody: {"told": openid, "roles": what the person has now, "fault": …, "raw": message}.
'use strict';

const http = require('node:http');
const readline = require('node:readline');
const soap = require('soap');

const say = message => process.stdout.write(JSON.stringify(message) + '\n');
const roles = new Map(); // OpenID -> [{UUID, DisplayName}]
const clients = new Map();
let config = {};

async function clientOf(wsdl) {
  if (!clients.has(wsdl)) clients.set(wsdl, await soap.createClientAsync(wsdl));
  return clients.get(wsdl);
}

async function call(operation, openid) {
  const environment = {EnvironmentUUID: config.environment, EnvironmentPassword: config.password};
  const questions = {
    GetRolesForOpenID: [config.permissions,
      {OpenID: openid, EnvironmentID: config.environment, EnvironmentPassword: config.password}],
    GetUserProfile: [config.profile, {OpenID: openid, ...environment}],
    GetDisplayName: [config.displayName, {OpenID: openid, EnvironmentPassword: config.password,
      EnvironmentUUID: config.environment}],
  };
  const [wsdl, parameters] = questions[operation];
  const [result] = await (await clientOf(wsdl))[`${operation}Async`](parameters);
  return result;
}

const faultOf = error => error.root?.Envelope?.Body?.Fault;

async function refresh({OpenId: openid}, raw) {
  try {
    const answer = await call('GetRolesForOpenID', openid);
    roles.set(openid, answer?.AppRole ?? []);
    say({told: openid, roles: roles.get(openid), raw});
    return {};
  } catch (error) {
    const fault = faultOf(error)?.faultstring ?? String(error);
    say({told: openid, roles: roles.get(openid) ?? [], fault, raw});
    throw {Fault: {faultcode: 'soap:Server', faultstring: `The app could not ask for the roles: ${fault}`}};
  }
}

function listen() {
  const server = http.createServer((request, response) => {
    response.statusCode = 404;
    response.end();
  });
  let raw = '';
  const service = {RefreshAPI: {RefreshAPIPort: {RefreshUserPermissions: question => refresh(question, raw)}}};
  server.listen(config.port, '127.0.0.1', () => {
    const offered = soap.listen(server, '/ws/RefreshAPI', service, config.wsdl);
    offered.log = (type, data) => {
      if (type === 'received') raw = String(data);
    };
    say({listening: server.address().port});
  });
}

readline.createInterface({input: process.stdin}).on('line', async line => {
  const message = JSON.parse(line);
  if (message.call) {
    try {
      say({result: await call(message.call, message.openid)});
    } catch (error) {
      const fault = faultOf(error);
      say({fault: fault?.faultstring ?? String(error), code: JSON.stringify(fault?.detail ?? null)});
    }
    return;
  }
  const first = !config.wsdl;
  config = {...config, ...message};
  if (first) listen();
  else say({set: true});
}).on('close', () => process.exit(0));
