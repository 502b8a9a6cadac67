// One operation: what it does, takes and answers.

import { html } from "../../lib/html.js";
import { JsonText } from "../../lib/json_text.js";
import { strings } from "../../lib/strings.en.js";
import { Text } from "../../lib/text.js";
import { TryIt } from "./try_it.js";

/** @typedef {import("./document.js").Operation} Operation */
/** @typedef {import("./document.js").Content} Content */
/** @typedef {import("./document.js").AnswerOf} AnswerOf */

const words = strings.apiPage;
const LONGEST = 1000; // characters of an explanation

/** @param {{ operation: Operation }} props */
export function OperationView({ operation }) {
  const { method, path, summary, description, parameters, body, answers } = operation;
  return html`
    <h2>${summary}</h2>
    <p><span class=${`method method-${method.toLowerCase()}`}>${method}</span> <code>${path}</code></p>
    <p><${Text} text=${description} longest=${LONGEST} /></p>
    <${TryIt} operation=${operation} />
    ${parameters.length > 0 && html`<section><h3>${words.parameters}</h3><div class="scrolling"><table class="rows">
      <thead><tr><th scope="col">${words.name}</th><th scope="col">${words.where}</th><th scope="col">${words.type}</th><th scope="col">${words.meaning}</th></tr></thead>
      <tbody>${parameters.map((each) => html`<tr key=${each.name}>
        <td><code>${each.name}</code>${each.required && html` <span class="faint">${words.required}</span>`}</td>
        <td>${each.in}</td><td><${Text} text=${each.type} /></td><td><${Text} text=${each.description} /></td>
      </tr>`)}</tbody>
    </table></div></section>`}
    ${body && html`<section><h3>${words.body}</h3><${Body} content=${body} /></section>`}
    <section><h3>${words.answers}</h3>${answers.map((each) => html`<${AnswerView} key=${each.status} answer=${each} />`)}</section>
  `;
}

/** @param {{ answer: AnswerOf }} props */
function AnswerView({ answer }) {
  const { status, description, headers, content } = answer;
  return html`<details open=${status < "300"}>
    <summary><strong>${status}</strong> <${Text} text=${description} /></summary>
    ${headers.length > 0 && html`<p class="faint">${headers.join(", ")}</p>`}
    ${content && html`<${Body} content=${content} />`}
  </details>`;
}

/** @param {{ content: Content }} props */
function Body({ content }) {
  const { type, members, example } = content;
  return html`<p class="faint">${type}</p>
    ${members.length > 0 && html`<div class="scrolling"><table class="rows">
      <thead><tr><th scope="col">${words.member}</th><th scope="col">${words.type}</th><th scope="col">${words.meaning}</th></tr></thead>
      <tbody>${members.map((each) => html`<tr key=${each.path}>
        <td><code>${each.path}</code>${each.required && html` <span class="faint">${words.required}</span>`}</td>
        <td><${Text} text=${each.type} /></td><td><${Text} text=${each.description} /></td>
      </tr>`)}</tbody>
    </table></div>`}
    ${example && html`<details><summary>${words.example}</summary>
      ${type.includes("json") ? html`<${JsonText} text=${example} />` : html`<pre><code>${example}</code></pre>`}
    </details>`}`;
}
