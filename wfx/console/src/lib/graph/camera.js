/**
 * Camera: which part of a picture is seen, and how large. Sizes of the window are in pixels.
 */

/**
 * The middle of what is seen, in the picture's own units, and pixels per unit.
 * @typedef {{x: number, y: number, scale: number}} Camera
 */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Rect */

const LARGEST = 3;
const MARGIN = 24;
/** Below this scale names are hard to read. */
const READABLE = 0.45;
/** The scale of a picture that is too large to show whole. */
const USUAL = 0.8;

/**
 * Show the whole picture; one that is small is not enlarged.
 * @param {Size} picture
 * @param {Size} window
 * @returns {Camera}
 */
export function whole(picture, window) {
  const fits = Math.min(window.width / (picture.width + 2 * MARGIN), window.height / (picture.height + 2 * MARGIN));
  return { x: picture.width / 2, y: picture.height / 2, scale: Math.min(1, fits) };
}

/**
 * Show the whole picture if it is readable then, otherwise the surroundings of a point.
 * @param {Size} picture
 * @param {Size} window
 * @param {{x: number, y: number}} point
 * @returns {Camera}
 */
export function first(picture, window, point) {
  const all = whole(picture, window);
  if (all.scale >= READABLE) return all;
  return within({ ...point, scale: USUAL }, picture, window);
}

/**
 * Come nearer or go away, so that a point of the window, from its middle, shows the same.
 * @param {Camera} camera
 * @param {number} factor
 * @param {Size} picture
 * @param {Size} window
 * @param {{x: number, y: number}} [fixed]
 * @returns {Camera}
 */
export function zoomed(camera, factor, picture, window, fixed = { x: 0, y: 0 }) {
  const least = Math.min(READABLE, whole(picture, window).scale);
  const scale = Math.min(LARGEST, Math.max(least, camera.scale * factor));
  const moved = (/** @type {number} */ from) => from / camera.scale - from / scale;
  return within({ x: camera.x + moved(fixed.x), y: camera.y + moved(fixed.y), scale }, picture, window);
}

/**
 * Move by pixels.
 * @param {Camera} camera
 * @param {{x: number, y: number}} by
 * @param {Size} picture
 * @param {Size} window
 * @returns {Camera}
 */
export function moved(camera, by, picture, window) {
  return within({ ...camera, x: camera.x + by.x / camera.scale, y: camera.y + by.y / camera.scale }, picture, window);
}

/**
 * Keep the picture in the window: it cannot be lost by moving.
 * @param {Camera} camera
 * @param {Size} picture
 * @param {Size} window
 * @returns {Camera}
 */
function within({ x, y, scale }, picture, window) {
  return { x: kept(x, picture.width, window.width / scale), y: kept(y, picture.height, window.height / scale), scale };
}

/** @param {number} middle @param {number} size @param {number} seen */
function kept(middle, size, seen) {
  const spare = seen / 2 - MARGIN;
  const [least, most] = [spare, size - spare];
  return least > most ? size / 2 : Math.min(most, Math.max(least, middle));
}

/**
 * Return what is seen.
 * @param {Camera} camera
 * @param {Size} window
 * @returns {Rect}
 */
export function seen({ x, y, scale }, window) {
  const [aside, above] = [window.width / scale / 2, window.height / scale / 2];
  return { left: x - aside, top: y - above, right: x + aside, bottom: y + above };
}

/**
 * Tell whether two rectangles meet.
 * @param {Rect} one
 * @param {Rect} other
 */
export const meet = (one, other) =>
  one.left <= other.right && one.right >= other.left && one.top <= other.bottom && one.bottom >= other.top;
