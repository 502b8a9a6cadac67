// Numbers for objects, by which components tell them apart.

/** @type {WeakMap<object, number>} */
const numbers = new WeakMap();
let last = 0;

/** The number of an object, the same each time: as a `key` it makes a list begin at its top. @param {object} object */
export function identityOf(object) {
  const found = numbers.get(object) ?? (last += 1);
  numbers.set(object, found);
  return found;
}
