// Times, numbers and texts as people read them. No page, no browser: also used by the tests.

import { strings } from "./strings.en.js";

/** How many characters of a text are shown before "more". */
const LONGEST = 200;

const steps = /** @type {const} */ ([[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"]]);

/** A duration as one number and unit, e.g. `3 min`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [below, size, unit] of steps) if (whole < below) return `${Math.floor(whole / size)} ${unit}`;
  return `${Math.floor(whole / 86400)} d`;
}

/** When something was: relative within a day, else the local date. @param {string | undefined} time @param {number} now milliseconds */
export function relative(time, now) {
  if (!time) return strings.time.never;
  const at = Date.parse(time);
  if (Number.isNaN(at)) return time;
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1 || seconds < 0) return seconds < -60 ? exact(time) : strings.time.now;
  return seconds < 86400 ? duration(seconds) : day(new Date(at));
}

/** The exact local time with its zone. @param {string | undefined} time */
export function exact(time) {
  const at = new Date(time ?? "");
  if (Number.isNaN(at.getTime())) return time ?? "";
  const zone = new Intl.DateTimeFormat("en", { timeZoneName: "longOffset" }).formatToParts(at);
  const offset = zone.find((part) => part.type === "timeZoneName")?.value ?? "";
  return `${day(at)} ${clock(at)}.${String(at.getMilliseconds()).padStart(3, "0")} ${offset}`;
}

/** The local time of day. @param {Date} at */
export function clock(at) {
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
}

/** @param {Date} at */
function day(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/** The beginning of a text, and whether something was cut off. Characters are never cut in two. @param {string} text @param {number} [longest] */
export function beginning(text, longest = LONGEST) {
  if (text.length <= longest) return { text, cut: false };
  const last = text.charCodeAt(longest - 1);
  return { text: text.slice(0, last >= 0xd800 && last <= 0xdbff ? longest - 1 : longest), cut: true };
}

/** Control characters as pictures, so that nothing in a text is invisible; tabs and line breaks stay. @param {string} text */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, (found) =>
    found === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + found.charCodeAt(0)),
  );
}

/** A text of a person for a title, where nothing isolates it: bounded, with nothing that is invisible or turns letters around. @param {string} text */
export function titled(text) {
  const { text: start, cut } = beginning(text, 500);
  return visible(cut ? `${start}…` : start).replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** An address that may become a link; nothing for what is no http(s) address. @param {string} text */
export function linkable(text) {
  if (text.length > 2000 || !/^https?:\/\/[^\s]+$/i.test(text)) return "";
  try {
    return new URL(text).href;
  } catch {
    return "";
  }
}
