import assert from "node:assert/strict";
import test from "node:test";
import { curlOf, matching, membersOf, operationsOf, requestOf } from "./document.js";

const document = {
  info: { title: "Lamps" },
  servers: [{ url: "/api/lamps" }],
  paths: {
    "/lamps/{id}": {
      parameters: [{ $ref: "#/components/parameters/Id" }],
      get: {
        summary: "Show a lamp",
        tags: ["lamps"],
        parameters: [{ name: "full", in: "query", schema: { type: "boolean", default: false } }],
        responses: { 200: { description: "It.", content: { "application/json": { schema: { $ref: "#/components/schemas/Lamp" } } } } },
      },
      put: { summary: "Switch", "x-wfx-sides": ["south"], responses: {} },
    },
  },
  components: {
    parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string", maxLength: 9 }, example: "hall" } },
    schemas: {
      Lamp: {
        type: "object",
        required: ["id"],
        properties: { id: { type: "string", description: "Its id." }, next: { $ref: "#/components/schemas/Lamp" }, spots: { type: "array", items: { allOf: [{ properties: { watt: { type: "integer" } } }] } } },
      },
    },
  },
};

test("operations have the parameters of their path, and those of devices alone are left out", () => {
  const found = operationsOf(document);
  assert.deepEqual(found.map(({ key }) => key), ["GET /api/lamps/lamps/{id}"]);
  assert.deepEqual(found[0]?.parameters.map(({ name, type, example }) => [name, type, example]), [["id", "string, 0 to 9 characters", "hall"], ["full", "boolean, default false", ""]]);
});

test("members are found within members, lists and parts, and a schema in itself ends", () => {
  const found = membersOf(document, { $ref: "#/components/schemas/Lamp" });
  assert.deepEqual(found.map(({ path, required }) => [path, required]), [["id", true], ["next", false], ["spots", false], ["spots[].watt", false]]);
});

test("a search finds what has all its words", () => {
  const all = operationsOf(document);
  assert.equal(matching(all, "SHOW get").length, 1);
  assert.equal(matching(all, "show nothing").length, 0);
});

test("values go into path and query, escaped, and what is missing is named", () => {
  const [operation] = operationsOf(document);
  assert.ok(operation);
  const sent = requestOf(operation, { id: "a/b $&", full: "true" });
  assert.equal(sent.path, "/api/lamps/lamps/a%2Fb%20%24%26");
  assert.deepEqual([sent.query, sent.missing], [{ full: "true" }, ""]);
  assert.equal(requestOf(operation, {}).missing, "id");
});

test("quotes in a command stay text", () => {
  assert.equal(curlOf("POST", "http://h/x", {}, "it's"), "curl -s -X POST --data-binary 'it'\\''s' 'http://h/x'");
});
