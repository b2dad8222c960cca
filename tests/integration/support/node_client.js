// Clients that others wrote: node's http2, and ws. Prints what came as JSON.
//   node node_client.js http2 URL CA     64 requests at once on one connection, each with a body
//   node node_client.js ws URL CA        text, binary, a large message, a ping, the close
"use strict";
const fs = require("fs");

function fail(error) {
  console.error(error);
  process.exit(1);
}

function overHttp2(url, ca) {
  const http2 = require("http2");
  const client = http2.connect(url, {ca, servername: "test.example"});
  client.on("error", fail);
  const answers = [];
  for (let i = 0; i < 64; ++i) {
    const body = "x".repeat(i * 1000);
    const stream = client.request({":method": "POST", ":path": `/${i}`,
      ":authority": "test.example"});
    let text = "";
    let status = 0;
    stream.on("response", (headers) => { status = headers[":status"]; });
    stream.setEncoding("utf8");
    stream.on("data", (chunk) => { text += chunk; });
    stream.on("error", fail);
    stream.on("end", () => {
      const seen = JSON.parse(text);
      answers.push({status, path: seen.target, bytes: seen.body_bytes});
      if (answers.length === 64) {
        client.close(() => console.log(JSON.stringify({alpn: client.alpnProtocol, answers})));
      }
    });
    stream.end(body);
  }
}

function overWebSocket(url, ca) {
  const WebSocket = require("ws");
  const socket = new WebSocket(url, {ca, servername: "test.example",
    headers: {host: "test.example"}});
  const messages = ["hello", Buffer.from([0, 255]), "y".repeat(300000)];
  const echoed = [];
  let pong = false;
  socket.on("error", fail);
  socket.on("open", () => socket.send(messages[0]));
  socket.on("message", (data, binary) => {
    const sent = messages[echoed.length];
    echoed.push(Buffer.compare(data, Buffer.from(sent)) === 0 &&
      binary === Buffer.isBuffer(sent));
    if (echoed.length < messages.length) {
      socket.send(messages[echoed.length]);
    } else {
      socket.ping();
    }
  });
  socket.on("pong", () => { pong = true; socket.close(1000, "done"); });
  socket.on("close", (code) => console.log(JSON.stringify({echoed, pong, code})));
}

const [what, url, caPath] = process.argv.slice(2);
const ca = caPath ? fs.readFileSync(caPath) : undefined;
({http2: overHttp2, ws: overWebSocket})[what](url, ca);
