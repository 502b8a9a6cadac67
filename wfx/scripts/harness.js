// Runs once in the context of scripts, before any script. Its functions are called by guest.py, and no script sees them.
(() => {
  "use strict";
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { then } = Promise.prototype;
  const { slice } = String.prototype;
  const apply = Function.prototype.call.bind(Function.prototype.call);
  const global = globalThis;
  const promises = Promise;
  const never = Symbol();
  let settled = () => never;

  // What the engine throws when a limit is reached; no script can catch it, and none may throw it.
  delete global.InternalError;
  // Nobody is there to share memory with.
  delete global.SharedArrayBuffer;

  // sfc32, a generator of Chris Doty-Humphrey in the public domain. The engine's own begins at the time of its start.
  let a = 0, b = 0, c = 0, count = 1;
  const random32 = () => {
    const value = (((a + b) | 0) + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + value) | 0;
    return value >>> 0;
  };
  const random = () => ((random32() >>> 5) * 0x4000000 + (random32() >>> 6)) / 0x20000000000000;
  Object.defineProperty(Math, "random", { value: random, writable: true, configurable: true });

  const begin = (text) => {
    const { payload, next, nflow_data, seed } = parse(text);
    [a, b, c] = seed;
    for (let turn = 0; turn < 12; turn += 1) random32();
    global.payload = payload;
    global.next = next;
    global.nflow_data = nflow_data;
  };

  const written = (value) => {
    if (value === never) throw new TypeError("the promise never settles");
    if (value === null || typeof value !== "object" || isArray(value)) {
      throw new TypeError("a script gives an object with next and payload");
    }
    const { next, payload, actions } = value;
    if (next !== undefined && typeof next !== "string") throw new TypeError("next is the name of a state");
    if (actions !== undefined && !isArray(actions)) throw new TypeError("actions is a list");
    const list = stringify(actions);
    if (actions !== undefined && (list === undefined || list[0] !== "[")) throw new TypeError("actions is a list");
    const rest = stringify({ __proto__: null, next, payload });
    if (list === undefined) return rest;
    return rest === "{}" ? `{"actions":${list}}` : `${apply(slice, rest, 0, -1)},"actions":${list}}`;
  };

  // The result as text, or undefined for a promise: settle() gives its value once all jobs have run.
  const finish = (value) => {
    if (!(value instanceof promises)) return written(value);
    const thrown = (error) => { settled = () => { throw error; }; };
    apply(then, value, (given) => { settled = () => given; }, thrown);
    return undefined;
  };

  const settle = () => settled();

  // Of texts alone, for which no function of the script is called.
  const pair = (message, stack) => `[${stringify(message)},${stringify(stack)}]`;

  const describe = (error) => {
    try {
      if (typeof error === "symbol") return '["a symbol",""]';
      if (error === null || typeof error !== "object") return pair(`${error}`, "");
      return pair(`${error.name}: ${error.message}`, `${error.stack}`);
    } catch {
      return '["an exception that cannot be told",""]';
    }
  };

  return [begin, finish, settle, written, describe];
})()
