// away.cjs - pages whose database goes away and comes back. Run by tests/integration/test_web_away.py, which gives places (of a
// `faultline web` and a daemon over the same database), id (an incident there) and control (a command: it takes start and stop).
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test, afterEach } = require('node:test');
const { given, with_page, shot, violations } = require('./browser.cjs');

const [program, ...words] = given.control;
let is_away = false;
const control = (word) => {
  execFileSync(program, [...words, word], { stdio: 'ignore', timeout: 120e3 });
  is_away = word === 'stop';
};
afterEach(() => { if (is_away) control('start'); });

const notice = (page) => page.locator('#notice');
const no_notice = (page) => page.waitForFunction(() => document.getElementById('notice').textContent === '');

for (const [number, place] of given.places.entries()) {
  const name = ['faultline web', 'faultline serve'][number];
  test(`${name}: a list says that its store went away, keeps what it shows, and recovers`, async () => {
    await with_page(`${place}/`, async (page) => {
      const rows = await page.locator('.incidents tbody tr').count();
      assert.ok(rows > 0);
      control('stop');
      await page.getByText('The store cannot be reached. What is shown is the last that was known; this page asks again.').waitFor();
      assert.equal(await page.locator('.incidents tbody tr').count(), rows);
      assert.deepEqual(await violations(page), []);
      await shot(page, `away-${number}`);
      control('start');
      await no_notice(page);
      assert.equal(await page.locator('.incidents tbody tr').count(), rows);
      await page.locator('.incidents tbody a').first().click();
      await page.getByRole('heading', { name: 'Ranking', exact: true }).waitFor();
    });
  });

  test(`${name}: what is asked for while the store is away says so, and is there as soon as it is back`, async () => {
    control('stop');
    await with_page(`${place}/incidents/${given.id}`, async (page, answer) => {
      assert.equal(answer.status(), 503);
      assert.equal(answer.headers()['retry-after'], '5');
      await page.getByRole('heading', { name: 'The store cannot be reached' }).waitFor();
      assert.equal(await notice(page).textContent(), '');
      assert.deepEqual(await violations(page), []);
      control('start');
      await page.getByRole('heading', { name: 'Ranking', exact: true }).waitFor();
      assert.equal((await page.reload()).status(), 200, 'no connection of before is used');
    });
  });

  test(`${name}: what is said while the store is away is not lost: it can be sent once more`, async () => {
    await with_page(`${place}/incidents/${given.id}`, async (page) => {
      await page.keyboard.press('f');
      const fixed = page.getByRole('dialog', { name: 'What ended it' });
      await fixed.getByLabel('What fixed it').fill('a larger pool');
      control('stop');
      await fixed.getByRole('button', { name: 'Keep' }).click();
      await fixed.getByRole('alert').filter({ hasText: /./ }).waitFor();
      assert.equal(await fixed.getByLabel('What fixed it').inputValue(), 'a larger pool');
      control('start');
      const is_kept = page.locator('.moved b', { hasText: 'Fixed' });
      const refused = fixed.getByRole('alert').filter({ hasText: /./ });
      for (const end = performance.now() + 120e3; !await is_kept.isVisible() && performance.now() < end;) {
        await fixed.getByRole('button', { name: 'Keep' }).click();
        await is_kept.or(refused).waitFor();
      }
      assert.ok(await is_kept.isVisible());
    });
  });
}
