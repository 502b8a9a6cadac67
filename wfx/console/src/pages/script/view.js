import { RULES } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { useRead } from "../../lib/read.js";
import { href } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { Text, Time } from "../../lib/text.js";
import { link, value } from "../../lib/url_state.js";
import { visible } from "../../lib/format.js";
import { told } from "../rules/loaded.js";
import { Rows, Section } from "../../lib/section.js";
import { DryRun } from "./dry_run.js";

/** @typedef {{ name: string, sha256: string, ctime: string, size: number, current: boolean, findings: { severity: string }[] }} Version */
/** @typedef {{ task: number, state: string, message: string, mtime: string, rule: string, run?: { outcome: string, value: string, error: string } }} Run */

const words = strings.rules;

/** @param {{ name: string }} props */
export function View({ name }) {
  const version = value("version");
  const path = `${RULES}/scripts/${encodeURIComponent(name)}`;
  const off = { status: 403, command: words.scriptsCommand };
  const source = useRead(path, version ? { version } : {});
  const versions = useRead(`${path}/versions`);
  const runs = useRead(`${path}/runs`, { limit: 50 });
  return html`
    <div class="heading"><h1>${name}</h1> ${version && html`<code>${version.slice(0, 12)}</code>`}</div>
    <div class="script">
      <${Section} title=${words.source} reading=${source} off=${off} show=${(/** @type {Version & { source: string }} */ script) => html`
        <pre class="json"><code><bdi>${visible(script.source)}</bdi></code></pre>
        ${script.findings.map((finding, index) => html`<p key=${index}><strong>${finding.severity}</strong> <${Text} text=${told(finding)} /></p>`)}`} />
      <${DryRun} path=${path} version=${version} />
    </div>
    <${Section} title=${words.versions} reading=${versions} off=${off} show=${(/** @type {{ content: Version[] }} */ page) => html`
      <${Rows} id="versions" heads=${[words.version, words.size, words.put, words.findings]}>
        ${page.content.map((each) => html`<tr key=${each.sha256}>
          <td><a href=${href(link({ version: each.current ? "" : each.sha256 }))}><code>${each.sha256.slice(0, 12)}</code></a> ${each.current && words.present}</td>
          <td>${number(each.size)}</td><td><${Time} at=${each.ctime} /></td><td>${each.findings.length > 0 && number(each.findings.length)}</td>
        </tr>`)}
      <//>`} />
    <${Section} title=${words.runs} reading=${runs} off=${off} show=${(/** @type {{ content: Run[] }} */ page) =>
      page.content.length === 0 ? html`<p class="faint">${words.noRuns}</p>` : html`<${Runs} runs=${page.content} />`} />
  `;
}

/** @param {{ runs: Run[] }} props */
function Runs({ runs }) {
  return html`<${Rows} id="runs" heads=${[words.task, words.rule, words.state, words.message, words.outcome, words.when]}>
    ${runs.map(({ task, rule, state, message, run, mtime }) => html`<tr key=${task}>
      <td>${task}</td><td><code><${Text} text=${rule} /></code></td><td>${state}</td><td><${Text} text=${message} /></td>
      <td>${run && html`${run.outcome} <code><${Text} text=${run.error || run.value} /></code>`}</td><td><${Time} at=${mtime} /></td>
    </tr>`)}
  <//>`;
}
