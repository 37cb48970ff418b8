// node validate.js FILE...  ->  one line of JSON for each file: {"file", "errors", "warnings", "messages"}
const fs = require("fs");
const path = require("path");
const { validateBytes } = require("gltf-validator");

async function main(files) {
  for (const file of files) {
    const report = await validateBytes(new Uint8Array(fs.readFileSync(file)), {
      uri: path.basename(file),
      maxIssues: 50,
    });
    const { numErrors, numWarnings, messages } = report.issues;
    console.log(JSON.stringify({ file, errors: numErrors, warnings: numWarnings, messages }));
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
