// app.js - what every page has: copy buttons, keys, and a page that follows what it shows.
//
// Pages are whole without it. To follow, the page itself is asked for again and the parts that
// differ are put in place: what it looks like is known by the server alone.

const notice = document.getElementById('notice');

export function say(text) {
  if (notice.textContent !== text) notice.textContent = text;
}

// --- copy ---

function show_copies(root) {
  for (const button of root.querySelectorAll('button.copy')) button.hidden = false;
}

document.addEventListener('click', async (event) => {
  const button = event.target.closest('button.copy');
  if (!button) return;
  const text = button.parentElement.querySelector('code').textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    const range = document.createRange(); // not permitted: select it, so that one key copies
    range.selectNodeContents(button.parentElement.querySelector('code'));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = 'Selected';
  }
  button.addEventListener('blur', () => { button.textContent = 'Copy'; }, { once: true });
});

// --- keys: one letter each, which can be turned off (WCAG 2.1.4) ---

const keys = [];
export function on_key(key, what, run) {
  keys.push({ key, what, run });
}
const are_off = () => localStorage.getItem('faultline-keys') === 'off';

document.addEventListener('keydown', (event) => {
  const in_field = event.target.closest('input, select, textarea, dialog');
  if (in_field || event.ctrlKey || event.metaKey || event.altKey) return;
  const found = keys.find((k) => k.key === event.key);
  if (!found || (are_off() && event.key !== '?')) return;
  event.preventDefault();
  found.run();
});

export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function dialog(title, ...children) {
  const heading = element('h2', { textContent: title, id: 'dialog-title' });
  const box = element('dialog', {}, heading, ...children);
  box.setAttribute('aria-labelledby', 'dialog-title');
  document.body.append(box);
  const back_to = document.activeElement;
  box.addEventListener('close', () => {
    box.remove();
    back_to?.focus?.();
    if (is_wanted) refresh();
  });
  box.showModal();
  return box;
}

function show_help() {
  const list = element('dl', {});
  for (const k of keys) list.append(element('dt', {}, element('kbd', { textContent: k.key })), element('dd', { textContent: k.what }));
  const off = element('input', { type: 'checkbox', checked: !are_off() });
  off.addEventListener('change', () => localStorage.setItem('faultline-keys', off.checked ? 'on' : 'off'));
  const close = element('button', { textContent: 'Close', autofocus: true });
  const label = element('label', { className: 'check' }, off, 'Single letters are keys on this browser');
  const box = dialog('Keyboard', list, label, element('div', { className: 'buttons' }, close));
  close.addEventListener('click', () => box.close());
}

function step(by) {
  const rows = [...document.querySelectorAll('.incidents tbody a, .hypotheses > li > details > summary')];
  if (rows.length === 0) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
}
on_key('j', 'next row', () => step(1));
on_key('k', 'row before', () => step(-1));
const search = document.querySelector('[data-key="/"]');
if (search) on_key('/', 'search', () => { search.focus(); search.select(); });
on_key('?', 'this help', show_help);

const help = document.getElementById('help');
help.hidden = false;
help.addEventListener('click', show_help);
addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details')) d.open = true; });

// --- follow ---

// Parts as the server wrote them, before scripts added to them.
const as_sent = new Map([...document.querySelectorAll('[data-part]')].map((part) => [part, part.innerHTML]));
const is_refusal = as_sent.size === 0; // the store could not be reached when this page was asked for
let tag = null;
let asking = null; // the round that is under way
let is_wanted = false; // something changed since it began, or while a dialog was open

// The same one in the page before and after, by what it is in and what it holds: counts in its words change.
function name_of(details) {
  const section = details.closest('section')?.getAttribute('aria-labelledby');
  const holds = details.querySelector(':scope > :not(summary)')?.className;
  return [details.closest('li[id]')?.id, section, details.className, holds].join(' ');
}

// What a reader has opened stays open, what has the focus keeps it.
function put_part(old, fresh) {
  const html = fresh.innerHTML;
  if (as_sent.get(old) === html) return;
  as_sent.set(old, html);
  const was_open = new Map([...old.querySelectorAll('details')].map((d) => [name_of(d), d.open]));
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const at = focused ? [...old.querySelectorAll('a, summary, button')].indexOf(focused) : -1;
  old.replaceChildren(...fresh.childNodes);
  for (const d of old.querySelectorAll('details')) d.open = was_open.get(name_of(d)) ?? d.open;
  if (at >= 0) old.querySelectorAll('a, summary, button')[at]?.focus({ preventScroll: true });
  show_copies(old);
}

function show_page(text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  if (fresh.body.dataset.build !== document.body.dataset.build) {
    document.body.removeAttribute('data-live');
    return say('Faultline was upgraded. Reload the page for the new version.');
  }
  for (const part of document.querySelectorAll('[data-part]')) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (other) put_part(part, other);
  }
  document.title = fresh.title;
  if (!fresh.body.hasAttribute('data-live')) document.body.removeAttribute('data-live');
  document.dispatchEvent(new CustomEvent('faultline:refreshed'));
  say('');
}

async function ask_page() {
  let answer;
  let text;
  try {
    answer = await fetch(location.href, { headers: tag ? { 'If-None-Match': tag } : {}, cache: 'no-store' });
    text = answer.ok ? await answer.text() : '';
  } catch {
    return say('Faultline cannot be reached. What is shown is the last that was known; this page asks again.');
  }
  if (is_refusal) return answer.status === 503 ? undefined : location.reload();
  if (answer.status === 304) return say('');
  if (answer.status === 404) return say('This incident is no longer in the store. What is shown is the last that was known.');
  if (answer.status === 401 || answer.status === 403) return say('The token is no longer valid. Reload the page to sign in again.');
  if (!answer.ok) return say('The store cannot be reached. What is shown is the last that was known; this page asks again.');
  tag = answer.headers.get('ETag');
  show_page(text);
}

const is_free = () => document.querySelector('dialog[open]') === null;

async function ask_rounds() {
  try {
    do {
      is_wanted = false;
      await ask_page();
    } while (is_wanted && is_free());
  } finally {
    asking = null;
  }
}

// Done when what is shown is no older than the call. An answer that is on its way may be of before what this call is
// about: then it is asked once more. An open dialog is not disturbed; closing it makes up for that.
export function refresh() {
  is_wanted = true;
  if (is_free()) asking ??= ask_rounds();
  return asking;
}

const live = () => document.body.hasAttribute('data-live');
let source = null;
let has_events = false;
function follow() {
  if (!live()) return;
  let soon = 0;
  const hear = () => { clearTimeout(soon); soon = setTimeout(refresh, 50); };
  source = new EventSource('/v1/incidents/events');
  // What changed before, while nobody listened, is told by the page alone.
  source.addEventListener('open', () => { has_events = true; refresh(); });
  for (const kind of ['incident', 'reset', 'store']) source.addEventListener(kind, hear);
  source.addEventListener('error', () => {
    if (has_events) refresh();
    has_events = false;
  });
}
// Without events, and while something is wrong, every few seconds: a 304 costs little.
setInterval(() => { if (live() && (!has_events || is_refusal || notice.textContent) && document.visibilityState === 'visible') refresh(); }, 3000);
// A browser gives up where events are refused once, as by a proxy whose server was away.
setInterval(() => { if (source?.readyState === EventSource.CLOSED) follow(); }, 30000);
document.addEventListener('visibilitychange', () => { if (live() && document.visibilityState === 'visible') refresh(); });

show_copies(document);
follow();
