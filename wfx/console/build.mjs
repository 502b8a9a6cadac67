// Bundles the console into built/: node build.mjs HASH_OF_SOURCES. Each asset is named by the hash of its content.

import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const target = "built";
const folder = mkdtempSync(".built-");
chmodSync(folder, 0o755);
/** @type {import("esbuild").BuildOptions & { write: false }} */
const common = {
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "eof",
  logLevel: "warning",
  minify: true,
  target: ["chrome123", "firefox120", "safari17.5"],
  write: false,
};

/** @param {string} entry @param {Record<string, string>} [define] */
async function bundle(entry, define = {}) {
  const result = await build({ ...common, define, entryPoints: [entry] });
  return Buffer.from(/** @type {import("esbuild").OutputFile} */ (result.outputFiles[0]).contents);
}

/** @param {string} name @param {Buffer} content */
function write(name, content) {
  writeFileSync(join(folder, name), content);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, { params: quality }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
}

/** @param {Buffer} content @param {string} ending */
function named(content, ending) {
  const name = `${createHash("sha256").update(content).digest("hex")}.${ending}`;
  write(name, content);
  return name;
}

/** The texts of the licences of all libraries that pages may use. */
function licences() {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const places = Object.keys(packages).filter((place) => place && !packages[place].dev);
  const texts = places.map((place) => {
    const name = place.slice("node_modules/".length);
    return `${name} ${packages[place].version}\n\n${readFileSync(join(place, "LICENSE"), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(72)}\n`);
}

const worker = named(await bundle("src/lib/live_worker.js"), "mjs");
const script = named(await bundle("src/main.js", { LIVE_WORKER: JSON.stringify(worker) }), "mjs");
const style = named(await bundle("src/styles/main.css"), "css");
write("logo.svg", readFileSync("src/logo.svg"));
const index = readFileSync("src/index.html", "utf8").replace("{{script}}", script).replace("{{style}}", style);
writeFileSync(join(folder, "index.html"), index);
writeFileSync(join(folder, "licenses.txt"), licences());
writeFileSync(join(folder, "manifest.json"), JSON.stringify({ sources: process.argv[2] ?? "", script, style, worker }));
rmSync(target, { recursive: true, force: true });
renameSync(folder, target);
