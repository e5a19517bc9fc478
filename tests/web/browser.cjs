// browser.cjs - what tests with a browser share: one browser for all, pages whose mistakes fail the test, axe.
//
// What is tested comes as JSON in the environment variable FL_PAGES; shots (a folder) and chromium are always among it.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, after } = require('node:test');
const { chromium } = require('playwright-core');

const given = JSON.parse(process.env.FL_PAGES);
const axe_source = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const patience_ms = 120e3; // a machine that does much else is not a fault of the page
let browser;

before(async () => {
  fs.mkdirSync(given.shots, { recursive: true });
  browser = await chromium.launch({ executablePath: given.chromium, args: ['--no-sandbox', '--disable-dev-shm-usage'], timeout: patience_ms });
});
after(() => browser.close());

async function new_context(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(patience_ms);
  return context;
}

// A page whose errors, refusals by the policy and requests to elsewhere fail the test.
async function with_page(address, run, options = {}) {
  const context = await new_context(options);
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => { if (/Content Security Policy|Refused/.test(message.text())) wrong.push(message.text()); });
  page.on('request', (request) => { if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) wrong.push(`request to ${request.url()}`); });
  page.on('dialog', (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  try {
    const answer = await page.goto(address, { waitUntil: 'load' });
    await run(page, answer, context);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

const shot = (page, name) => page.screenshot({ path: path.join(given.shots, `${name}.png`), fullPage: true });

async function violations(page) {
  await page.evaluate(axe_source); // by the protocol, which the page's policy does not bind
  const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(', ')}`);
}

// Done when the page's script has asked for the page again; the same module as the page's own.
const ask_again = (page) => page.evaluate(() => import(document.querySelector('script[src*="app.js"]').src).then((app) => app.refresh()));

module.exports = { given, new_context, with_page, shot, violations, ask_again };
