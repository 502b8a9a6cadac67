import assert from "node:assert/strict";
import { test } from "node:test";
import { first, meet, moved, seen, whole, zoomed } from "./camera.js";

const window = { width: 800, height: 400 };

test("a small picture is shown whole and as it is, a large one from its first state on", () => {
  const small = first({ width: 300, height: 200 }, window, { x: 0, y: 0 });
  assert.deepEqual(small, { x: 150, y: 100, scale: 1 });
  const large = first({ width: 300, height: 90_000 }, window, { x: 150, y: 0 });
  assert.ok(large.scale > 0.5);
  assert.ok(seen(large, window).top < 0 && seen(large, window).bottom < 1000);
});

test("the whole of a picture fits", () => {
  const picture = { width: 5000, height: 90_000 };
  const all = seen(whole(picture, window), window);
  assert.ok(all.left < 0 && all.top < 0 && all.right > picture.width && all.bottom > picture.height);
});

test("what is below the pointer stays there while the picture is enlarged", () => {
  const picture = { width: 5000, height: 5000 };
  const before = { x: 2500, y: 2500, scale: 0.5 };
  const after = zoomed(before, 2, picture, window, { x: 100, y: -50 });
  assert.equal(after.scale, 1);
  assert.equal(before.x + 100 / before.scale, after.x + 100 / after.scale);
  assert.equal(before.y - 50 / before.scale, after.y - 50 / after.scale);
});

test("a picture cannot be lost, however far it is moved or reduced", () => {
  const picture = { width: 5000, height: 5000 };
  const box = { left: 0, top: 0, right: 5000, bottom: 5000 };
  const far = moved({ x: 0, y: 0, scale: 1 }, { x: -1e9, y: 1e9 }, picture, window);
  assert.ok(meet(seen(far, window), box));
  const tiny = zoomed(far, 1e-9, picture, window);
  assert.deepEqual([tiny.x, tiny.y], [2500, 2500]);
  assert.ok(5000 * tiny.scale > 300);
});
