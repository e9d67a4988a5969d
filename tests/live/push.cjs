// Sends a line as users of winston-loki and of Splunk's own library do. Arguments: folder of the packages, base URL, token, line.
const { createRequire } = require("module");
const [folder, base, token, line] = process.argv.slice(2);
const from = createRequire(`${folder}/node_modules/`);
const winston = from("winston");
const Loki = from("winston-loki");
const { Logger } = from("splunk-logging");

const failed = (error) => { console.error(String(error)); process.exitCode = 1; };
const format = winston.format.printf((info) => info.message);
const jobs = [false, true].map((json) => {
  const transport = new Loki({ host: base, json, batching: false, labels: { app: "nginx", form: String(json) }, format, onConnectionError: failed });
  winston.createLogger({ transports: [transport] }).error(line);
  return transport;
});
const splunk = new Logger({ token, url: base, maxRetries: 3 });
splunk.send({ message: line, severity: "error", metadata: { host: "edge-1", source: "nginx", sourcetype: "nginx" } }, (error, _, body) => {
  if (error || body.code !== 0) failed(error || body.text);
  Promise.all(jobs.map((job) => job.flush())).catch(failed).finally(() => setTimeout(() => process.exit(), 1000));
});
