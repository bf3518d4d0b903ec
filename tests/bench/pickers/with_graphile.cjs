// graphile-worker's own worker, as its documentation starts it, with a task that notes when it was called.
const { createWriteStream } = require("node:fs");
// The database comes from PGHOST, PGUSER and PGDATABASE.
const [log, modules] = process.argv.slice(2);
const { run } = require(`${modules}/graphile-worker`);
const lines = createWriteStream(log);

run({
  concurrency: 10,
  taskList: { noop: async ({ key }) => lines.write(`${key} ${process.hrtime.bigint()}\n`) },
}).then(() => console.log("ready"));
