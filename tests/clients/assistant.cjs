// Let a genuine client of the Model Context Protocol start a server and call its tools.
//
//   node assistant.cjs CLIENT COMMAND [ARGUMENT...] < CALLS
//     handshake: @modelcontextprotocol/sdk (2025-11-25)    stateless: @modelcontextprotocol/client, pinned to 2026-07-28
//     auto: the same client, which finds out
//
// or `URL` as the COMMAND, for a server that listens there. CALLS is a list of {"name", "arguments"}. Prints {version, server, tools,
// answers}; an answer is a tool's result, or {"error": code}.
'use strict';

const [, , kind, command, ...args] = process.argv;

function make() {
  const isUrl = command.startsWith('http');
  if (kind === 'handshake') {
    const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
    const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
    return [new Client({ name: 'faultline-tests', version: '1' }),
      isUrl ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport({ command, args, env: process.env })];
  }
  const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
  const { StdioClientTransport } = require('@modelcontextprotocol/client/stdio');
  const mode = kind === 'auto' ? 'auto' : { pin: '2026-07-28' };
  return [new Client({ name: 'faultline-tests', version: '1' }, { versionNegotiation: { mode } }),
    isUrl ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport({ command, args, env: process.env })];
}

async function main() {
  const calls = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const [client, transport] = make();
  await client.connect(transport);
  const tools = (await client.listTools()).tools, answers = [];
  for (const call of calls)
    answers.push(await client.callTool(call).catch((error) => ({ error: error.code, message: error.message })));
  const version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? null;
  console.log(JSON.stringify({ version, server: client.getServerVersion(), instructions: client.getInstructions(), tools, answers }));
  await client.close();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
