// Makes Medusa's calls with @medusajs/js-sdk, unchanged and pointed at the service by its own settings. Reads
// {"baseUrl", "calls": [{"call": "admin.invite.create", "arguments", "client"}]} from standard input; prints for each call
// {"done": true, "answer"} or what the SDK threw, {"done": false, "name", "message", "status"}. "client": {"as", …the
// SDK's settings}; calls with the same "as" share a client, and so its memory of who is signed in.
import { readFileSync } from "node:fs";
import medusa from "@medusajs/js-sdk";

const Medusa = medusa.default ?? medusa;
const { baseUrl, calls } = JSON.parse(readFileSync(0, "utf8"));
const clients = new Map();

function clientOf({ as, ...settings }) {
  if (!clients.has(as)) clients.set(as, new Medusa({ baseUrl, ...settings }));
  return clients.get(as);
}

/** "$3.invite.token": out of the answer of the third call, counted from 0. */
function filled(value, results) {
  if (typeof value === "string" && /^\$\d+/.test(value))
    return value.slice(1).split(".").reduce((found, part, i) => (i === 0 ? found[part].answer : found?.[part]), results);
  if (Array.isArray(value)) return value.map((one) => filled(one, results));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, results)]));
  return value;
}

const results = [];
for (const { call, arguments: given, client } of calls) {
  const names = call.split(".");
  const last = names.pop();
  const owner = names.reduce((found, name) => found[name], clientOf(client));
  try {
    results.push({ done: true, answer: (await owner[last](...filled(given, results))) ?? null });
  } catch (error) {
    results.push({ done: false, name: error.constructor.name, message: error.message, status: error.status });
  }
}
console.log(JSON.stringify(results));
