// What can be asked of TensorFlow.js about models: each function takes it and an object of settings.
'use strict';

const fs = require('fs');
const vm = require('vm');
const {folderHandler} = require('./folders');

const flat = (value) => Array.isArray(value) ? value : [value];
const only = (value) => Array.isArray(value) && value.length === 1 ? value[0] : value;
const numbers = (result) => flat(result).map((x) => typeof x === 'number' ? x : x.dataSync()[0]);

const ran = new Set();

/** Runs classic scripts, as a page would: with tf as a global, and each once. */
function runScripts(tf, scripts) {
  globalThis.tf = tf;
  for (const path of scripts || []) {
    const text = fs.readFileSync(path, 'utf8');
    if (ran.has(text)) continue;
    vm.runInThisContext(text, {filename: path});
    ran.add(text);
  }
}

/** The model at a folder, or at a URL. */
async function loaded(tf, {model, scripts, strict}) {
  runScripts(tf, scripts);
  const options = strict === undefined ? {} : {strict};
  return tf.loadLayersModel(/^https?:/.test(model) ? model : folderHandler(tf, model), options);
}

const saved = (tf, model, to, includeOptimizer) =>
    model.save(/^https?:/.test(to) ? to : folderHandler(tf, to), {includeOptimizer});

/** Compiles with an optimizer given as {class_name, config} in JavaScript's spelling; it may be compiled already. */
function compiled(tf, model, settings) {
  if (settings) {
    const {class_name: name, config} = settings.optimizer;
    const kind = tf.serialization.SerializationMap.getMap().classNameMap[name][0];
    model.compile({...settings, optimizer: new kind(...optimizerArguments(name, config))});
  }
  if (!model.optimizer) throw new Error('the model is not compiled, and there is no "compile" in the request');
  return model;
}

/** The arguments of an optimizer's constructor, by its config. */
function optimizerArguments(name, c) {
  const orders = {
    SGD: [c.learningRate],
    Momentum: [c.learningRate, c.momentum, c.useNesterov],
    Adagrad: [c.learningRate, c.initialAccumulatorValue],
    Adadelta: [c.learningRate, c.rho, c.epsilon],
    Adam: [c.learningRate, c.beta1, c.beta2, c.epsilon],
    Adamax: [c.learningRate, c.beta1, c.beta2, c.epsilon, c.decay],
    RMSProp: [c.learningRate, c.decay, c.momentum, c.epsilon, c.centered],
  };
  if (!(name in orders)) throw new Error(`no optimizer ${name}`);
  return orders[name];
}

async function predict(tf, settings) {
  const model = await loaded(tf, settings);
  return settings.runs.map((inputs) => {
    if (settings.resetStates) model.resetStates();
    return flat(model.predict(only(inputs), {batchSize: settings.batchSize}));
  });
}

async function evaluate(tf, settings) {
  const model = compiled(tf, await loaded(tf, settings), settings.compile);
  return numbers(model.evaluate(only(settings.x), only(settings.y), {batchSize: settings.batchSize}));
}

/** One trainOnBatch per batch; the losses and metrics of each, and the model saved with its optimizer. */
async function train(tf, settings) {
  const model = compiled(tf, await loaded(tf, settings), settings.compile);
  const history = [];
  for (const [x, y] of settings.batches) history.push(numbers(await model.trainOnBatch(only(x), only(y))));
  if (settings.to) await saved(tf, model, settings.to, true);
  return history;
}

/** fit without shuffling; the history. */
async function fit(tf, settings) {
  const {epochs, batchSize} = settings;
  const model = compiled(tf, await loaded(tf, settings), settings.compile);
  const run = await model.fit(
      only(settings.x), only(settings.y), {epochs, batchSize, shuffle: false, verbose: 0, yieldEvery: 'never'});
  if (settings.to) await saved(tf, model, settings.to, true);
  return run.history;
}

async function resave(tf, settings) {
  const model = await loaded(tf, settings);
  await saved(tf, model, settings.to, model.optimizer != null);
  return describe(model);
}

/** A model of a topology in snake_case, with weights of its own initializers, saved; its predictions. */
async function make(tf, settings) {
  runScripts(tf, settings.scripts);
  const model = await tf.models.modelFromJSON(settings.topology);
  if (settings.weights) model.setWeights(settings.weights);
  if (settings.compile) compiled(tf, model, settings.compile);
  await saved(tf, model, settings.to, model.optimizer != null);
  return (settings.runs || []).map((inputs) => flat(model.predict(only(inputs))));
}

/** A model of one layer, given as TensorFlow.js's own getConfig has it, saved; its predictions. */
async function makeLayer(tf, settings) {
  const kind = tf.serialization.SerializationMap.getMap().classNameMap[settings.className];
  if (!kind) throw new Error(`no layer ${settings.className}`);
  const layer = kind[1](kind[0], settings.config);
  const key = settings.config.stateful ? 'batchShape' : 'shape';
  const sizes = (x) => x.shape.slice(settings.config.stateful ? 0 : 1);
  const inputs = settings.runs[0].map((x) => tf.input({[key]: sizes(x), dtype: x.dtype}));
  const model = tf.model({inputs, outputs: layer.apply(only(inputs))});
  if (settings.weights) model.setWeights(settings.weights);
  await saved(tf, model, settings.to, false);
  return settings.runs.map((given) => {
    model.resetStates();
    return flat(model.predict(only(given)));
  });
}

function describe(model) {
  return {
    layers: model.layers.map((layer) => [layer.name, layer.getClassName()]),
    weights: model.weights.map((w) => [w.originalName, w.shape]),
    optimizer: model.optimizer ? model.optimizer.getClassName() : null,
  };
}

/** The values of the weights, and of the optimizer. */
async function weights(tf, settings) {
  const model = await loaded(tf, settings);
  const own = Object.fromEntries(model.weights.map((w) => [w.originalName, w.read()]));
  const slots = model.optimizer ? await model.optimizer.getWeights() : [];
  return {model: own, optimizer: slots.map((slot) => [slot.name, slot.tensor]), ...describe(model)};
}

/** Tensors through tf.io.encodeWeights into a folder with a manifest. */
async function saveTensors(tf, {tensors, folder}) {
  const {data, specs} = await tf.io.encodeWeights(tensors);
  fs.mkdirSync(folder, {recursive: true});
  fs.writeFileSync(`${folder}/weights.bin`, Buffer.from(data));
  fs.writeFileSync(`${folder}/manifest.json`, JSON.stringify([{paths: ['weights.bin'], weights: specs}]));
  return specs;
}

/** The tensors of weight files with a manifest, through tf.io.decodeWeights. */
async function loadTensors(tf, {manifest, folder}) {
  const files = manifest.flatMap((group) => group.paths).map((name) => fs.readFileSync(`${folder}/${name}`));
  const bytes = Uint8Array.from(Buffer.concat(files));
  return tf.io.decodeWeights(bytes.buffer, manifest.flatMap((group) => group.weights));
}

/** The names of all classes that TensorFlow.js makes of configs. */
const classes = async (tf) => Object.keys(tf.serialization.SerializationMap.getMap().classNameMap).sort();

module.exports = {predict, evaluate, train, fit, resave, make, makeLayer, weights, saveTensors, loadTensors, classes};
