// Runs in a page, after TensorFlow.js: calls the test's function main and posts what it gives, or how it failed.
'use strict';

const said = [];
for (const name of ['error', 'warn']) {
  const before = console[name].bind(console);
  console[name] = (...parts) => {
    said.push(`${name}: ${parts.map(String).join(' ')}`);
    before(...parts);
  };
}
addEventListener('error', (event) => said.push(`uncaught: ${event.message} at ${event.filename}:${event.lineno}`));
addEventListener('unhandledrejection', (event) => said.push(`unhandled: ${event.reason?.stack || event.reason}`));

const tensor = ({dtype, shape, values}) => tf.tensor(values, shape, dtype);
const plain = (x) => ({dtype: x.dtype, shape: x.shape, values: Array.from(x.dataSync())});
const listed = (value) => Array.isArray(value) ? value : [value];
const only = (value) => value.length === 1 ? value[0] : value;

async function report(body) {
  await fetch('/result', {method: 'POST', body: JSON.stringify({...body, said, agent: navigator.userAgent})});
}

addEventListener('load', async () => {
  try {
    if (typeof tf === 'undefined') throw new Error('TensorFlow.js is not loaded');
    const settings = await (await fetch('/settings.json')).json();
    await tf.setBackend('cpu');
    await report({result: (await main(settings)) ?? null});
  } catch (error) {
    await report({error: error instanceof Error ? error.stack : String(error)});
  }
});
