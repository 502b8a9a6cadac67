import { html } from "../../lib/html.js";
import { Empty, Problem } from "../../lib/problem.js";
import { switchedOff } from "../../lib/read.js";
import { strings } from "../../lib/strings.en.js";
import { Charts } from "./charts.js";
import { useLooks } from "./looks.js";
import { Consumers, Plugins } from "./readers.js";
import { Service } from "./service.js";
import { Settings } from "./settings.js";

const words = strings.system;

export function View() {
  const { looks, error } = useLooks();
  const metrics = looks.at(-1)?.metrics;
  return html`
    <div class="heading"><h1>${words.title}</h1></div>
    ${switchedOff(error, 404) ? html`<${Empty} title=${words.noMetrics} command=${words.metricsCommand} />` : html`<${Problem} error=${error} />`}
    <div class="system">
      <${Service} metrics=${metrics} />
      <${Settings} />
    </div>
    <${Charts} looks=${looks} />
    <div class="system">
      <${Consumers} metrics=${metrics} />
      <${Plugins} metrics=${metrics} />
    </div>
  `;
}
