// Makes Base44's calls with @base44/sdk, unchanged and pointed at the service by its own settings. Reads
// {"serverUrl", "calls": [{"call", "arguments", "token"}]} from standard input; prints for each call {"done": true,
// "answer"} or what the SDK threw, {"done": false, "name", "printed", "status", "code", "data"}.
import { createClient } from "@base44/sdk";
import { readFileSync } from "node:fs";

const { serverUrl, calls } = JSON.parse(readFileSync(0, "utf8"));
const appId = "6634d1f5e0a1b2c3d4e5f601";

/** What backends do without the SDK, whose service role has no users module. */
async function post(path, body, token) {
  const response = await fetch(`${serverUrl}/api/apps/${appId}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-App-Id": appId, Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const data = await response.json();
  if (!response.ok) throw Object.assign(new Error(data.message), { status: response.status, code: data.code, data });
  return data;
}

const makers = {
  "users.inviteUser": (client) => (email, role) => client.users.inviteUser(email, role),
  "auth.inviteUser": (client) => (email, role) => client.auth.inviteUser(email, role),
  "auth.me": (client) => () => client.auth.me(),
  "auth.isAuthenticated": (client) => () => client.auth.isAuthenticated(),
  "raw.inviteUser": (client, token) => (email, role) =>
    post("runtime/users/invite-user", { user_email: email, role }, token),
  "raw.inviteUsers": (client, token) => (emails, role) => post("users/invite-users", { user_emails: emails, role }, token),
};

const results = [];
for (const { call, arguments: given, token } of calls) {
  const client = createClient({ serverUrl, appId, ...(token && { token }), analytics: { enabled: false } });
  try {
    results.push({ done: true, answer: await makers[call](client, token)(...given) });
  } catch (error) {
    const { name, status, code, data } = error;
    results.push({ done: false, name, printed: error.message, status, code, data });
  }
}
console.log(JSON.stringify(results));
