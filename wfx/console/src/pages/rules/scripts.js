// Which scripts there are.

import { RULES } from "../../lib/base.js";
import { html } from "../../lib/html.js";
import { Empty } from "../../lib/problem.js";
import { useRead } from "../../lib/read.js";
import { href } from "../../lib/router.js";
import { number, strings } from "../../lib/strings.en.js";
import { Time } from "../../lib/text.js";
import { Rows, Section } from "../../lib/section.js";

/** @typedef {{ name: string, sha256: string, ctime: string, size: number, findings: unknown[] }} Script */

const words = strings.rules;
const MOST = 1000; // scripts that a service keeps at most

export function Scripts() {
  const off = { status: 403, command: words.scriptsCommand };
  const show = (/** @type {{ content: Script[] }} */ page) =>
    page.content.length === 0
      ? html`<${Empty} title=${words.noScripts} command=${words.putCommand} />`
      : html`<${Rows} id="scripts" heads=${[words.script, words.version, words.size, words.put, words.findings]}>
          ${page.content.map(({ name, sha256, ctime, size, findings }) => html`<tr key=${name}>
            <td><a href=${href(`rules/scripts/${encodeURIComponent(name)}`)}>${name}</a></td>
            <td><code>${sha256.slice(0, 12)}</code></td><td>${number(size)}</td><td><${Time} at=${ctime} /></td><td>${findings.length > 0 && number(findings.length)}</td>
          </tr>`)}
        <//>`;
  return html`<${Section} title=${words.scripts} reading=${useRead(`${RULES}/scripts`, { limit: MOST })} off=${off} show=${show} />`;
}
