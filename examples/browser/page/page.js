// Keeps what is drawn as strokes, makes of them the 8 by 8 pixels that the model was trained on, and shows what it says.
'use strict';

const SOURCES = [
  {src: 'tf.es2017.min.js'},
  {
    src: 'https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4.22.0/dist/tf.es2017.min.js',
    integrity: 'sha384-ODzrY1mCTIRZRerZfDIqCoTQafA1St1OwLVc9SsTefnkCF1MeIaVSZ88wuK/NKfH',
    crossOrigin: 'anonymous',
  },
];

const paper = document.getElementById('paper');
const seen = document.getElementById('seen').getContext('2d');
const answer = document.getElementById('answer');
const strokes = []; // each a list of points [x, y] on the paper
let model = null;
let shares = []; // the probability of each digit

// The digits of the data set were scanned at 32 by 32, black or white, and counted in blocks of 4 by 4. Before that they
// were brought to one height and much the same width, and their lines to a strength at which a third of all is black.
const GRID = 32;
const BLOCK = 4;
const WIDTH = 20;
const MOST_STRETCH = 1.8;
const BLACK = 313;
const PENS = [2, 12];
const scan = Object.assign(document.createElement('canvas'), {width: GRID, height: GRID})
  .getContext('2d', {willReadFrequently: true});

/** Draws lines on a canvas, points changed by a function; a point alone is a dot. */
function draw(canvas, width, place = (point) => point) {
  Object.assign(canvas, {lineWidth: width, lineCap: 'round', lineJoin: 'round', strokeStyle: '#000'});
  canvas.beginPath();
  for (const stroke of strokes) {
    canvas.moveTo(...place(stroke[0]));
    for (const point of stroke) canvas.lineTo(...place(point));
  }
  canvas.stroke();
}

/** What of the 32 by 32 pixels is black, drawn with a pen of some width. */
function scanned(pen) {
  const points = strokes.flat();
  const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
  const [right, bottom] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
  const [wide, high] = [Math.max(right - left, 1), Math.max(bottom - top, 1)];
  const down = Math.min((GRID - pen) / high, MOST_STRETCH * (WIDTH - pen) / wide);
  const across = Math.min((WIDTH - pen) / wide, MOST_STRETCH * down);
  scan.clearRect(0, 0, GRID, GRID);
  draw(scan, pen, ([x, y]) => [
    GRID / 2 + (x - (left + right) / 2) * across,
    GRID / 2 + (y - (top + bottom) / 2) * down,
  ]);
  const {data} = scan.getImageData(0, 0, GRID, GRID);
  return Array.from({length: GRID * GRID}, (_, pixel) => data[4 * pixel + 3] > 127);
}

/** The drawing as the model's input: for each block of 4 by 4 what part of it is black, 0 to 1. */
function shrunk() {
  const pixels = new Float32Array((GRID / BLOCK) ** 2);
  if (!strokes.length) return pixels;
  let [thin, thick] = PENS;
  for (let step = 0; step < 7; step++) {
    const pen = (thin + thick) / 2;
    [thin, thick] = scanned(pen).filter(Boolean).length < BLACK ? [pen, thick] : [thin, pen];
  }
  scanned(thin).forEach((black, pixel) => {
    const [row, column] = [Math.floor(pixel / GRID / BLOCK), Math.floor(pixel % GRID / BLOCK)];
    pixels[row * GRID / BLOCK + column] += Number(black) / BLOCK ** 2;
  });
  return pixels;
}

function classify(pixels) {
  return tf.tidy(() => {
    const [input] = model.inputs;
    return Array.from(model.predict(tf.tensor(pixels, [1, ...input.shape.slice(1)])).dataSync());
  });
}

/** Draws all anew: the paper, what the model sees of it, and what it says. */
function show() {
  const canvas = paper.getContext('2d');
  canvas.clearRect(0, 0, paper.width, paper.height);
  draw(canvas, 18);
  const pixels = shrunk();
  const image = seen.createImageData(8, 8);
  pixels.forEach((value, pixel) => image.data.set([...Array(3).fill(255 * (1 - value)), 255], 4 * pixel));
  seen.putImageData(image, 0, 0);
  if (!model) return;
  shares = strokes.length ? classify(pixels) : Array(10).fill(0);
  document.querySelectorAll('#shares li').forEach((line, digit) => {
    line.querySelector('meter').value = shares[digit];
    line.querySelector('output').value = `${(100 * shares[digit]).toFixed(1)} %`;
  });
  const best = shares.indexOf(Math.max(...shares));
  answer.textContent = strokes.length ? `This is a ${best}.` : 'Draw something.';
}

let awaited = 0;
function changed() {
  cancelAnimationFrame(awaited);
  awaited = requestAnimationFrame(show);
}

function at(event) {
  const box = paper.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - paper.clientLeft, event.clientY - box.top - paper.clientTop];
  return [x * paper.width / paper.clientWidth, y * paper.height / paper.clientHeight];
}

function listen() {
  let drawing = null; // the pointer that draws: a second finger does nothing
  paper.addEventListener('pointerdown', (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    paper.setPointerCapture(drawing);
    strokes.push([at(event)]);
    changed();
  });
  paper.addEventListener('pointermove', (event) => {
    if (event.pointerId !== drawing) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(moves.length ? moves : [event]).map(at));
    changed();
  });
  for (const end of ['pointerup', 'pointercancel']) {
    paper.addEventListener(end, (event) => {
      if (event.pointerId === drawing) drawing = null;
    });
  }
  document.getElementById('undo').addEventListener('click', () => { strokes.pop(); changed(); });
  document.getElementById('clear').addEventListener('click', () => { strokes.length = 0; changed(); });
}

function makeBars() {
  for (let digit = 0; digit < 10; digit++) {
    const line = document.createElement('li');
    const bar = Object.assign(document.createElement('meter'), {min: 0, max: 1, value: 0});
    bar.setAttribute('aria-label', `Probability of ${digit}`);
    line.append(String(digit), bar, document.createElement('output'));
    document.getElementById('shares').append(line);
  }
}

function loaded(source) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), source);
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${source.src} cannot be loaded`));
    document.head.append(script);
  });
}

async function start() {
  makeBars();
  listen();
  try {
    // A copy beside the page comes first, so that it works without the network.
    await loaded(SOURCES[0]).catch(() => loaded(SOURCES[1]));
    await tf.setBackend('cpu'); // so small a model would wait longer for a GPU than it computes
    model = await tf.loadLayersModel('model/model.json');
  } catch (error) {
    answer.textContent = `This page cannot work: ${error.message}. Make and serve its folder as the walk-through says.`;
    throw error;
  }
  show();
}

start();
