// Creates a workflow and a job, reads, lists, reports on and follows it, with a client made by @hey-api/openapi-ts.
import { createClient } from "./client/client/index.ts";
import {
  getJobs,
  getJobsById,
  getJobsEvents,
  postJobs,
  postJobsByIdTags,
  postWorkflows,
  putJobsByIdStatus,
} from "./client/sdk.gen.ts";
import type { ErrorResponse, Job, JobEvent, JobStatus, NewWorkflow, PaginatedJobList, Workflow } from "./client/types.gen.ts";

const [north, south, workflowText] = process.argv.slice(2) as [string, string, string];
const operator = createClient({ baseUrl: north });
const device = createClient({ baseUrl: south });
const throwing = { throwOnError: true } as const;

const body: NewWorkflow = JSON.parse(workflowText);
const workflow: Workflow = (await postWorkflows({ client: operator, body, ...throwing })).data;
const request = { clientId: "press-7", workflow: workflow.name, tags: ["hall1"], definition: { n: 3, deep: { on: true } } };
const created: Job = (await postJobs({ client: operator, body: request, ...throwing })).data;
const path = { id: created.id };
const read: Job = (await getJobsById({ client: device, path, ...throwing })).data;
const status = { state: "BRIGHT", context: { lines: ["on"] } };
const reported: JobStatus = (await putJobsByIdStatus({ client: device, path, body: status, ...throwing })).data;
const query = { clientId: read.clientId, group: ["CLOSED"], pagination: true };
const page: PaginatedJobList = (await getJobs({ client: operator, query, ...throwing })).data;
const tags: string[] = (await postJobsByIdTags({ client: operator, path, body: ["line2"], ...throwing })).data;
const missing = await getJobsById({ client: device, path: { id: "missing" } });

const actions: string[] = [];
const { stream } = await getJobsEvents({ client: operator, query: { jobIds: [created.id], since: "0" } });
for await (const event of stream) {
  const happened: JobEvent = event;
  actions.push(happened.action);
  if (happened.action === "ADD_TAGS") break;
}
console.log(
  JSON.stringify({
    id: created.id,
    listed: page.content.map((job) => job.id),
    total: page.pagination?.total,
    state: reported.state,
    tags,
    missing: (missing.error as ErrorResponse).errors[0]?.code,
    actions,
  }),
);
process.exit(0); // the stream would stay open
