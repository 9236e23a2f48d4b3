// Perfetto's own trace processor, as the UI runs it in a browser's worker, at a Unix socket: node trace_processor.cjs UI SOCKET
// UI is a directory with engine_bundle.js and trace_processor*.wasm. A connection speaks TraceProcessorRpcStream.
"use strict";
const fs = require("fs");
const net = require("net");
const path = require("path");

const [ui, socket] = process.argv.slice(2);
const read = (name) => fs.readFileSync(path.join(ui, path.basename(name)));

class XMLHttpRequest {
  open(method, url) {
    this.url = url;
  }
  send() {
    this.response = new Uint8Array(read(this.url)).buffer;
  }
}

const self = { location: { href: "http://localhost/" } };
const worker = new Function("self", "WorkerGlobalScope", "XMLHttpRequest", "process", read("engine_bundle.js").toString());
worker(self, Object, XMLHttpRequest);

let client;
const port = { postMessage: (bytes) => client.write(bytes) };
self.onmessage({ data: port });

const server = net.createServer((connection) => {
  client = connection;
  connection.on("data", (bytes) => port.onmessage({ data: new Uint8Array(bytes) }));
  connection.on("error", () => {});
});
server.listen(socket, () => console.log("ready"));
process.stdin.on("end", () => process.exit()).resume();
