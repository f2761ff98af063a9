// Prints Terraform files as JSON: {file: {content, formatted}}. Run by tests/infra/terraform.py with node, which finds the parser and the
// formatter, both HashiCorp's own, by NODE_PATH.
const { readFileSync } = require("node:fs");
const { basename } = require("node:path");
const { parse } = require("@cdktf/hcl2json");
const { format } = require("@cdktf/hcl-tools");

async function main(files) {
  const read = {};
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    read[basename(file)] = { content: (await parse(file, text)) ?? {}, formatted: await format(text) };
  }
  process.stdout.write(JSON.stringify(read));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
