// Attributes and labels as people type them.

/** @typedef {{ attributes: Record<string, string>, labels: string[] }} Description */

/** One attribute a line. @param {Record<string, string>} attributes */
export function linesOf(attributes) {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

/** Reads what was typed; tells the line (from 1) that is no name=value. @param {string} lines @param {string} labels @returns {Description | { line: number }} */
export function descriptionOf(lines, labels) {
  /** @type {[string, string][]} */
  const attributes = [];
  for (const [index, text] of lines.split("\n").entries()) {
    const line = text.trim();
    if (!line) continue;
    const at = line.indexOf("=");
    if (at < 1) return { line: index + 1 };
    attributes.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  const names = labels.split(/[,\n]/).map((label) => label.trim());
  return { attributes: Object.fromEntries(attributes), labels: [...new Set(names.filter(Boolean))] };
}
