import { useEffect, useMemo, useState } from "preact/hooks";
import { get, isAbort } from "../../lib/api.js";
import { API } from "../../lib/base.js";
import { Graph } from "../../lib/graph/view.js";
import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { Problem } from "../../lib/problem.js";
import { href } from "../../lib/router.js";
import { strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";
import { CopyButton } from "../../lib/copy_button.js";
import { GroupsBar, jobsOf } from "../../lib/groups_bar.js";
import { byGroup, totals } from "../../lib/job_counts.js";
import { useCounts } from "../../lib/live_counts.js";
import { Deletion } from "./deletion.js";

/** @typedef {import("../../lib/graph/model.js").Workflow} Workflow */

const words = strings.workflows;

/** @param {{ name: string }} props */
export function View({ name }) {
  const [workflow, setWorkflow] = useState(/** @type {Workflow | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [tries, setTries] = useState(0);
  const [deleting, setDeleting] = useState(false);
  const { summary, error: uncounted } = useCounts(name);
  useEffect(() => {
    const ending = new AbortController();
    get(`${API}/workflows/${encodeURIComponent(name)}`, undefined, ending.signal).then(
      (answer) => {
        setWorkflow(answer);
        setError(undefined);
      },
      (failure) => isAbort(failure) || setError(failure),
    );
    return () => ending.abort();
  }, [name, tries]);
  return html`
    <div class="heading">
      <h1>${name}</h1>
      <a class="button" href=${href(jobsOf(name))}>${words.allJobs}</a>
      ${workflow && html`<a class="button" href=${href(`new-workflow?${new URLSearchParams({ like: name })}`)}>${words.copyOf}</a>
        <button type="button" class="danger" onClick=${() => setDeleting(true)}>${words.delete}</button>`}
    </div>
    <${Problem} error=${error ?? uncounted} onRetry=${() => setTries(tries + 1)} />
    ${!workflow && !error && html`<p class="skeleton">${strings.loading}</p>`}
    ${workflow && html`<${Content} workflow=${workflow} counts=${summary?.counts} />`}
    ${deleting && html`<${Deletion} name=${name} jobs=${summary?.total} onClose=${() => setDeleting(false)} />`}
  `;
}

/** @param {{ workflow: Workflow, counts: import("../../lib/job_counts.js").Count[] | undefined }} props */
function Content({ workflow, counts = [] }) {
  const states = totals(counts, "state");
  const notes = new Map([...states].map(([state, jobs]) => [state, words.jobsIn(jobs)]));
  const linkOf = (/** @type {string} */ state) => (states.get(state) ? jobsOf(workflow.name, { state }) : "");
  return html`
    <p><${Text} text=${workflow.description} longest=${1024} /></p>
    <${GroupsBar} workflow=${workflow.name} groups=${byGroup(counts).get(workflow.name)} />
    <mermaid class="mermaid">
      <${Graph} id="graphDiv" label=${workflow.name} workflow=${workflow} notes=${notes} noteTitle=${words.jobs} linkOf=${linkOf} />
    </mermaid>
    <${Json} workflow=${workflow} />
  `;
}

/** @param {{ workflow: Workflow }} props */
function Json({ workflow }) {
  const text = useMemo(() => JSON.stringify(workflow, null, 2), [workflow]);
  return html`<section class="panel">
    <div class="heading"><h2>${words.json}</h2><${CopyButton} name=${strings.copy} text=${() => text} /></div>
    <${JsonText} id="workflow-json" text=${text} />
  </section>`;
}
