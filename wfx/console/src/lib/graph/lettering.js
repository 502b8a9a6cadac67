/**
 * Lettering: how wide texts are, by estimate, so that a layout needs no browser.
 */

const NARROW = new Set("iljtfrI.,:;'|!()[]- ");
const WIDE = /[mwMW@%\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|[\u{1f000}-\u{3fffd}]/u;
const NOTHING = /[\p{M}\p{Cf}]/u;
const CAPITAL = /\p{Lu}/u;
const BOLD = 1.1;

/**
 * Estimate how wide a character is, in sizes of the letters.
 * @param {string} letter
 */
function advance(letter) {
  if (NARROW.has(letter)) return 0.38;
  if (WIDE.test(letter)) return 1;
  if (NOTHING.test(letter)) return 0;
  return CAPITAL.test(letter) ? 0.72 : 0.62;
}

/**
 * Estimate the width of a text without serifs; real fonts are hardly wider.
 * @param {string} text
 * @param {number} size
 * @param {{bold?: boolean}} [how]
 */
export function width(text, size, { bold = false } = {}) {
  let sum = 0;
  for (const letter of text) sum += advance(letter);
  return sum * size * (bold ? BOLD : 1);
}

/** The most characters that are looked at: some are nothing wide. */
const MOST = 200;

/**
 * Cut a text that is too wide or too long.
 * @param {string} text
 * @param {number} most
 * @param {number} size
 * @param {{bold?: boolean}} [how]
 */
export function shortened(text, most, size, how) {
  const room = most - width("…", size, how);
  let [fitting, reached, looked] = [0, 0, 0];
  let end = 0;
  for (const letter of text) {
    reached += width(letter, size, how);
    end += letter.length;
    if (reached <= room) fitting = end;
    if (reached > most || ++looked > MOST) return `${text.slice(0, fitting)}…`;
  }
  return text;
}
