// flame.js - flame graphs under the pointer and the keys: what a box is, and a part of the stacks as wide as all of them.
//
// Boxes are drawn by the server and have their place in attributes: data-x and data-w in units of the picture, data-row.
import { element } from './app.js';

const WIDTH = 1000;
const LETTER = 6.7; // as web_flame.c has it

function label_of(name, width) {
  const room = Math.floor((width - 6) / LETTER);
  if (room < 3) return '';
  return name.length <= room ? name : `${name.slice(0, room - 1)}\u2026`;
}

function attach(svg) {
  const boxes = [...svg.querySelectorAll('.frame')].map((g) => ({
    g, x: Number(g.dataset.x), w: Number(g.dataset.w), row: Number(g.dataset.row), rect: g.querySelector('rect'), text: g.querySelector('text'),
  }));
  const tools = svg.parentElement.querySelector('.tools');
  const told = element('output', {});
  const all = element('button', { type: 'button', textContent: 'All', title: 'Show all of it' });
  let zoomed = boxes[0];
  let chosen = boxes[0];

  const is_shown = (box) => box.x + box.w > zoomed.x + 0.01 && box.x < zoomed.x + zoomed.w - 0.01;
  function draw() {
    for (const box of boxes) {
      const left = Math.max(0, (box.x - zoomed.x) / zoomed.w * WIDTH);
      const width = Math.min(WIDTH, (box.x + box.w - zoomed.x) / zoomed.w * WIDTH) - left;
      box.g.toggleAttribute('hidden', !is_shown(box));
      if (!is_shown(box)) continue;
      box.rect.setAttribute('x', left);
      box.rect.setAttribute('width', width);
      box.text.setAttribute('x', left + 3);
      box.text.textContent = label_of(box.g.dataset.name, width);
    }
  }
  function tell(box) {
    chosen.g.classList.remove('chosen');
    chosen = box;
    chosen.g.classList.add('chosen');
    told.textContent = box.g.querySelector('title').textContent;
  }
  function zoom(box) {
    zoomed = box;
    tell(box);
    draw();
  }

  const within = (box, other) => other.x >= box.x - 0.01 && other.x + other.w <= box.x + box.w + 0.01;
  const widest = (found) => found.reduce((best, box) => (best === null || box.w > best.w ? box : best), null);
  const steps = {
    ArrowDown: () => widest(boxes.filter((box) => is_shown(box) && box.row === chosen.row + 1 && within(chosen, box))),
    ArrowUp: () => boxes.find((box) => box.row === chosen.row - 1 && within(box, chosen)),
    ArrowRight: () => boxes.find((box) => is_shown(box) && box.row === chosen.row && box.x > chosen.x),
    ArrowLeft: () => boxes.findLast((box) => is_shown(box) && box.row === chosen.row && box.x < chosen.x),
  };
  svg.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps[event.key]) { const next = steps[event.key](); if (next) tell(next); }
    else if (event.key === 'Enter' || event.key === '+') zoom(chosen);
    else if (event.key === 'Escape' || event.key === '0' || event.key === '-') zoom(boxes[0]);
    else return;
    event.preventDefault();
  });
  const box_at = (event) => boxes.find((box) => box.g === event.target.closest('.frame'));
  svg.addEventListener('pointerover', (event) => { const box = box_at(event); if (box) tell(box); });
  svg.addEventListener('click', (event) => { const box = box_at(event); if (box) zoom(box === zoomed ? boxes[0] : box); });
  svg.addEventListener('focus', () => tell(chosen));
  all.addEventListener('click', () => zoom(boxes[0]));

  svg.setAttribute('tabindex', '0');
  svg.setAttribute('role', 'application');
  svg.setAttribute('aria-label', `${svg.getAttribute('aria-label')}. Arrows step from box to box, Enter zooms, Escape shows all`);
  told.setAttribute('aria-live', 'polite');
  tools.hidden = false;
  tools.append(all, told);
}

// Pictures that a refresh puts in place are new ones.
export function attach_flames() {
  for (const svg of document.querySelectorAll('svg.flame:not([tabindex])')) attach(svg);
}
attach_flames();
document.addEventListener('faultline:refreshed', attach_flames);
