// incident.js - one incident's page: the timeline under the pointer and the keys.
//
// Lanes are drawn by the server; their horizontal unit is one step. To zoom is to change the part of every lane that is
// shown. Numbers at the pointer come from the picture's own document, asked for when they are first wanted.
import { dialog, element, on_key, refresh } from './app.js';
import './flame.js';

const state = { low: 0, high: 0, at: null, numbers: null };
let box = null; // the section, of this moment: a refresh puts a new one in place

const steps = () => Number(box.dataset.steps);
const time_of = (step) => Number(box.dataset.fromMs) + step * Number(box.dataset.stepMs);
const plots = () => box.querySelectorAll('.plot');

function text_of(ms, span_ms) {
  const iso = new Date(ms).toISOString(); // 2026-11-23T00:06:50.000Z
  const clock = span_ms >= 600e3 ? iso.slice(11, 16) : iso.slice(11, 19);
  return span_ms > 86400e3 ? `${iso.slice(5, 10)} ${clock}` : clock;
}

// --- the part that is shown ---

function show(low, high) {
  const least = Math.min(4, steps());
  if (high - low < least) { const middle = (low + high) / 2; low = middle - least / 2; high = middle + least / 2; }
  if (low < 0) { high -= low; low = 0; }
  if (high > steps()) { low = Math.max(0, low - (high - steps())); high = steps(); }
  state.low = low;
  state.high = high;
  for (const plot of plots()) plot.setAttribute('viewBox', `${low} 0 ${high - low} 100`);
  const ticks = box.querySelectorAll('.ticks span');
  const span = time_of(high) - time_of(low);
  ticks.forEach((tick, i) => { tick.textContent = text_of(time_of(low + (high - low) * i / (ticks.length - 1)), span); });
  point(state.at);
}

function zoom(by, around = (state.low + state.high) / 2) {
  show(around - (around - state.low) * by, around + (state.high - around) * by);
}
const move = (by) => show(state.low + by * (state.high - state.low), state.high + by * (state.high - state.low));
const whole = () => show(0, steps());

// --- the numbers at one step ---

function number_text(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return 'no data';
  const units = { ms: ['s', 1e3], By: ['MB', 1e6], us: ['ms', 1e3], ns: ['ms', 1e6] };
  let shown = unit && unit !== '1' ? unit : '';
  const large = units[shown];
  if (large && Math.abs(value) >= large[1]) { value /= large[1]; shown = large[0]; }
  const digits = Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(3)));
  return shown ? `${digits} ${shown}` : digits;
}

async function ask_numbers() {
  if (state.numbers) return;
  state.numbers = []; // asked once
  const id = document.querySelector('[data-incident]').dataset.incident;
  try {
    const answer = await fetch(`/incidents/${encodeURIComponent(id)}/timeline.json`);
    if (answer.ok) state.numbers = (await answer.json()).lanes;
    point(state.at);
  } catch { state.numbers = null; }
}

function point(at) {
  state.at = at;
  const cursor = box.querySelector('.cursor');
  const output = box.querySelector('output');
  const first = box.querySelector('.plot');
  const is_seen = at !== null && at >= state.low && at <= state.high && first;
  cursor.hidden = !is_seen;
  if (is_seen) {
    const frame = box.getBoundingClientRect();
    const plot = first.getBoundingClientRect();
    cursor.style.left = `${plot.left - frame.left + (at - state.low) / (state.high - state.low) * plot.width}px`;
    output.textContent = new Date(time_of(Math.floor(at))).toISOString().slice(0, 19).replace('T', ' ');
  } else output.textContent = '';
  for (const lane of box.querySelectorAll('.lane[id]')) {
    const cell = lane.querySelector('.value');
    cell.dataset.worst ??= cell.textContent;
    const numbers = state.numbers?.[Number(lane.id.slice(5))];
    cell.textContent = is_seen && numbers ? number_text(numbers.values[Math.min(Math.floor(at), steps() - 1)], numbers.unit) : cell.dataset.worst;
  }
}

// --- pointer ---

let drag = null;
function step_at(event) {
  const plot = box.querySelector('.plot').getBoundingClientRect();
  return state.low + Math.min(1, Math.max(0, (event.clientX - plot.left) / plot.width)) * (state.high - state.low);
}

function select(from, to) {
  const frame = box.getBoundingClientRect();
  const plot = box.querySelector('.plot').getBoundingClientRect();
  const x = (step) => plot.left - frame.left + (step - state.low) / (state.high - state.low) * plot.width;
  const mark = box.querySelector('.selection');
  mark.hidden = from === null;
  if (from === null) return;
  mark.style.left = `${x(Math.min(from, to))}px`;
  mark.style.width = `${Math.abs(x(to) - x(from))}px`;
}

document.addEventListener('pointermove', (event) => {
  if (!box) return;
  if (drag) { select(drag.from, step_at(event)); return point(step_at(event)); }
  const over = event.target.closest?.('.timeline .plot');
  if (!over) { if (state.at !== null && !box.contains(document.activeElement)) point(null); return; }
  ask_numbers();
  point(step_at(event));
});
document.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !event.target.closest?.('.timeline .plot')) return;
  drag = { from: step_at(event), x: event.clientX };
  event.preventDefault(); // no text is selected
});
document.addEventListener('pointerup', (event) => {
  if (!drag) return;
  const { from, x } = drag;
  drag = null;
  select(null);
  const to = step_at(event);
  if (Math.abs(event.clientX - x) > 4) show(Math.min(from, to), Math.max(from, to));
});
document.addEventListener('pointercancel', () => { drag = null; if (box) select(null); });
document.addEventListener('dblclick', (event) => { if (event.target.closest?.('.timeline .plot')) whole(); });

// --- buttons and keys: everything that the pointer can do ---

function button(text, label, run) {
  const made = element('button', { type: 'button', textContent: text });
  made.setAttribute('aria-label', label);
  made.title = label;
  made.addEventListener('click', run);
  return made;
}

function steer(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) {
    ask_numbers();
    const at = Math.min(steps() - 0.5, Math.max(0.5, Math.floor(state.at ?? (state.low + state.high) / 2) + 0.5 + by));
    if (at < state.low || at > state.high) move(by / 2);
    point(at);
  } else if (event.key === '+' || event.key === '=') zoom(0.5, state.at ?? undefined);
  else if (event.key === '-') zoom(2, state.at ?? undefined);
  else if (event.key === '0' || event.key === 'Escape') { whole(); point(null); } else return;
  event.preventDefault();
}

function attach() {
  const fresh = document.querySelector('.timeline');
  if (!fresh || fresh === box) return;
  const before = box ? { low: state.low, high: state.high, steps: Number(box.dataset.steps) } : null;
  box = fresh;
  state.numbers = null;
  box.classList.add('live');
  const tools = box.querySelector('.tools');
  tools.hidden = false;
  tools.append(button('+', 'Zoom in', () => zoom(0.5)), button('\u2212', 'Zoom out', () => zoom(2)),
    button('\u2039', 'Earlier', () => move(-0.5)), button('\u203a', 'Later', () => move(0.5)), button('All', 'Show all of it', whole),
    element('output', {}));
  tools.setAttribute('role', 'group');
  tools.setAttribute('aria-label', 'Timeline: plus and minus zoom, arrows move the mark, 0 shows all of it');
  tools.addEventListener('keydown', steer);
  box.append(element('div', { className: 'cursor', hidden: true }), element('div', { className: 'selection', hidden: true }));
  const is_zoomed = before && (before.low > 0 || before.high < before.steps);
  if (is_zoomed) show(before.low, before.high);
  else { state.low = 0; state.high = steps(); }
  point(null);
}

// A lane that is jumped to may lie in what is closed.
function find_lane() {
  const lane = /^#lane-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
  if (!lane) return;
  const closed = lane.closest('details:not([open])');
  if (closed) closed.open = true;
  lane.scrollIntoView({ block: 'center' });
}

on_key('t', 'timeline: then + and − zoom, arrows move, 0 shows all', () => box?.querySelector('.tools button').focus());
addEventListener('hashchange', find_lane);
addEventListener('resize', () => { if (box) point(state.at); });
document.addEventListener('faultline:refreshed', attach);
attach();
find_lane();

// --- what people know: confirm, reject, fixed by ---

const say_box = document.querySelector('.say');
const id = document.querySelector('[data-incident]').dataset.incident;
const api = `/v1/incidents/${encodeURIComponent(id)}`;

// Where the focus is, or the first.
function chosen() {
  return Number(document.activeElement?.closest('.hypotheses > li')?.dataset.number ?? 1);
}

const words = (li) => `${li.querySelector('.service').textContent} ${li.querySelector('.cause').textContent}`;

// What was seen must be what is meant: a triage may have ranked anew since the page was made.
async function etag_of(number, meant) {
  const answer = await fetch(api, { cache: 'no-store' });
  if (!answer.ok) throw new Error(await sentence_of(answer));
  const found = (await answer.json()).hypotheses[number - 1];
  if (!found || `${found.service ?? '(service not named)'} ${found.cause}` !== meant) {
    refresh();
    throw new Error('The ranking has changed meanwhile. Close this, and look at it again.');
  }
  return answer.headers.get('ETag');
}

async function sentence_of(answer) {
  if (answer.status === 401 || answer.status === 403) return 'This needs a token with the role admin.';
  try { return (await answer.json()).detail; } catch { return `The answer was ${answer.status}.`; }
}

const belief = (c) => `${c.mean.toFixed(2)} (90 %: ${c.low.toFixed(2)} to ${c.high.toFixed(2)}, n = ${c.n})`;

function tell(learnt) {
  const said = { confirmed: 'Confirmed', rejected: 'Rejected', resolved: 'Fixed' }[learnt.what];
  const list = element('dl', {});
  for (const edge of learnt.moved) {
    const is_fix = edge.kind === 'resolved-by';
    const way = edge.after.mean > edge.before.mean ? 'up' : edge.after.mean < edge.before.mean ? 'down' : 'same';
    list.append(element('dt', { textContent: is_fix ? `fixed by ${edge.to}` : `explains ${edge.from}` }),
      element('dd', {}, element('span', { className: 'dim', textContent: `${belief(edge.before)} \u2192 ` }),
        element('span', { className: way, textContent: belief(edge.after) })));
  }
  say_box.querySelector('.moved').replaceChildren(
    element('p', {}, element('b', { textContent: said }), `: ${learnt.cause}${learnt.new ? '' : ' (this was known before)'}`), list);
}

function key_of() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// One form; each of the three asks for what it needs.
const forms = {
  confirm: { title: 'This was the cause', text: ['fix', 'What fixed it, where that is known', false], send: 'Confirm' },
  reject: { title: 'This was not the cause', text: ['why', 'Why not', true], send: 'Reject' },
  resolve: { title: 'What ended it', text: ['fix', 'What fixed it', true], send: 'Keep' },
};

function ask(verb) {
  const rows = [...document.querySelectorAll('.hypotheses > li')];
  if (rows.length === 0) return;
  const { title, text: [member, label, is_needed], send } = forms[verb];
  const which = element('select', {}, ...rows.map((li, i) => element('option', { value: String(i + 1), textContent: `${i + 1}. ${words(li)}` })));
  which.value = String(Math.min(chosen(), rows.length));
  const text = element('textarea', { rows: 2, required: is_needed, maxLength: 900 });
  const author = element('input', { value: localStorage.getItem('faultline-author') ?? '', maxLength: 100, autocomplete: 'name' });
  const wrong = element('p', { className: 'warn' });
  wrong.setAttribute('role', 'alert');
  const yes = element('button', { textContent: send });
  const no = element('button', { type: 'button', textContent: 'Cancel' });
  const labelled = (name, field) => element('label', {}, name, field);
  const form = element('form', {}, labelled('Hypothesis', which), labelled(label, text), labelled('Your name', author), wrong,
    element('div', { className: 'buttons' }, no, yes));
  let once = key_of();
  const box = dialog(title, form);
  (is_needed ? text : yes).focus();
  no.addEventListener('click', () => box.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    yes.disabled = true;
    wrong.textContent = '';
    let is_sent = false;
    localStorage.setItem('faultline-author', author.value.trim());
    const number = Number(which.value);
    const body = { hypothesis: number };
    if (text.value.trim()) body[member] = text.value.trim();
    if (author.value.trim()) body.author = author.value.trim();
    try {
      const seen = await etag_of(number, words(rows[number - 1]));
      is_sent = true;
      const answer = await fetch(`${api}/${verb}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': once, 'If-Match': seen },
        body: JSON.stringify(body),
      });
      // A refusal is kept under its key, and what was put right is another request; at 409 the first is under way.
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 409) once = key_of();
      if (!answer.ok) throw new Error(await sentence_of(answer));
      tell(await answer.json());
      box.close();
      say_box.scrollIntoView({ block: 'nearest' });
      refresh();
    } catch (error) {
      const kept = is_sent ? 'It is not known whether it was kept' : 'Nothing was kept';
      wrong.textContent = error instanceof TypeError ? `Faultline cannot be reached. ${kept}; try again.` : error.message;
      yes.disabled = false;
    }
  });
}

// An incident that opens has no ranking yet: it comes by a refresh.
function offer() {
  const is_ranked = document.querySelector('.hypotheses > li') !== null;
  say_box.querySelector('.buttons').hidden = !is_ranked;
  say_box.querySelector('.commands').hidden = is_ranked;
}
for (const one of say_box.querySelectorAll('[data-verb]')) one.addEventListener('click', () => ask(one.dataset.verb));
document.addEventListener('faultline:refreshed', offer);
offer();
on_key('c', 'confirm the hypothesis in focus, or the first', () => ask('confirm'));
on_key('x', 'reject it', () => ask('reject'));
on_key('f', 'say what fixed it', () => ask('resolve'));
performance.mark('faultline-usable'); // what the tests measure
