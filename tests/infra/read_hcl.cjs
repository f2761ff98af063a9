// Prints Terraform files as JSON: {file: content}. Run by tests/infra/terraform.py with node, which finds the parser by NODE_PATH.
const { readFileSync } = require("node:fs");
const { basename } = require("node:path");
const { parse } = require("@cdktf/hcl2json");

async function main(files) {
  const read = {};
  for (const file of files) read[basename(file)] = (await parse(file, readFileSync(file, "utf8"))) ?? {};
  process.stdout.write(JSON.stringify(read));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
