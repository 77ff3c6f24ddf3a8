// Tells whether answers fit GoRules' description of its API. Reads [{"schema", "value"}] from standard input, where
// `schema` is "inviteUsers" or a name in answers.schema.json; prints for each the list of what does not fit.
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";

const folder = process.argv[2];
const load = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));

const ajv = new Ajv({ allErrors: true, strictTypes: false });
addFormats(ajv);
const { post } = load("invite-users.openapi.json").paths["/api/users"];
ajv.addSchema(post.responses["200"].content["application/json"].schema, "inviteUsers");
ajv.addSchema(load("answers.schema.json"), "answers");

const problems = JSON.parse(readFileSync(0, "utf8")).map(({ schema, value }) => {
  const check = ajv.getSchema(schema === "inviteUsers" ? schema : `answers#/$defs/${schema}`);
  return check(value) ? [] : check.errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
});
console.log(JSON.stringify(problems));
