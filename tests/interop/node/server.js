// Answers requests of the tests: a line of JSON each on standard input, its answer as a line on standard output.
'use strict';

const readline = require('readline');
const util = require('util');

// Standard output belongs to the answers.
for (const name of ['log', 'info', 'debug', 'warn']) {
  console[name] = (...parts) => process.stderr.write(util.format(...parts) + '\n');
}

const {withTensors, withoutTensors} = require('./tensors');
const models = require('./models');

/** TensorFlow.js, from a folder node_modules. */
function library(folder) {
  const tf = require(require.resolve('@tensorflow/tfjs', {paths: [folder]}));
  tf.env().set('IS_TEST', true); // no advice about faster packages
  return tf;
}

async function answer(tf, {command, settings}) {
  if (!(command in models)) throw new Error(`no command ${command}`);
  tf.engine().startScope();
  try {
    return withoutTensors(tf, await models[command](tf, withTensors(tf, settings)));
  } finally {
    tf.engine().endScope();
    tf.disposeVariables();
  }
}

async function main() {
  const tf = library(process.argv[2]);
  await tf.setBackend('cpu');
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
  say({result: {version: tf.version.tfjs, backend: tf.getBackend()}});
  for await (const line of readline.createInterface({input: process.stdin})) {
    try {
      say({result: (await answer(tf, JSON.parse(line))) ?? null});
    } catch (error) {
      say({error: error instanceof Error ? error.stack : String(error)});
    }
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack || error}\n`);
  process.exitCode = 1;
});
