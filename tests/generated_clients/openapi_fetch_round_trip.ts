// Creates a workflow and a job, reads, lists and reports on it, with a client made by openapi-typescript and openapi-fetch.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

const [north, south, workflowText] = process.argv.slice(2) as [string, string, string];
const operator = createClient<paths>({ baseUrl: north });
const device = createClient<paths>({ baseUrl: south });

function must<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const body: components["schemas"]["NewWorkflow"] = JSON.parse(workflowText);
const workflow: components["schemas"]["Workflow"] = must(await operator.POST("/workflows", { body }));
const request = { clientId: "press-7", workflow: workflow.name, tags: ["hall1"], definition: { n: 3, deep: { on: true } } };
const created: components["schemas"]["Job"] = must(await operator.POST("/jobs", { body: request }));
const path = { id: created.id };
const read: components["schemas"]["Job"] = must(await device.GET("/jobs/{id}", { params: { path } }));
const state = "BRIGHT";
const reported: components["schemas"]["JobStatus"] = must(
  await device.PUT("/jobs/{id}/status", { params: { path }, body: { state, context: { lines: ["on"] } } }),
);
const page: components["schemas"]["PaginatedJobList"] = must(
  await operator.GET("/jobs", { params: { query: { clientId: read.clientId, group: ["CLOSED"], pagination: true } } }),
);
const tags: string[] = must(await operator.POST("/jobs/{id}/tags", { params: { path }, body: ["line2"] }));
const missing = await device.GET("/jobs/{id}", { params: { path: { id: "missing" } } });
console.log(
  JSON.stringify({
    id: created.id,
    listed: page.content.map((job) => job.id),
    total: page.pagination?.total,
    state: reported.state,
    tags,
    missing: typeof missing.error === "object" ? missing.error.errors[0]?.code : missing.error,
  }),
);
