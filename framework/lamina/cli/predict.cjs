// Reads a job from standard input: a saved model, and inputs; writes what TensorFlow.js predicts as one line of JSON.
'use strict';

const KINDS = {float32: Float32Array, int32: Int32Array, bool: Uint8Array};

function bytes(text) {
  const found = Buffer.from(text, 'base64');
  return found.buffer.slice(found.byteOffset, found.byteOffset + found.byteLength);
}

async function main() {
  const job = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  console.log = console.warn = console.info = () => {};
  const tf = require(job.package);
  global.tf = tf;
  for (const script of job.scripts) {
    const found = require(script);
    if (typeof found.register === 'function') found.register(tf);
  }
  const document = JSON.parse(job.document);
  const model = await tf.loadLayersModel(tf.io.fromMemory({
    modelTopology: document.modelTopology,
    weightSpecs: document.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes(job.weights),
  }));
  const inputs = job.inputs.map(({dtype, shape, data}) => tf.tensor(new KINDS[dtype](bytes(data)), shape, dtype));
  const batchSize = inputs.length ? inputs[0].shape[0] : undefined;
  const predicted = model.predict(inputs.length === 1 ? inputs[0] : inputs, {batchSize});
  const outputs = (Array.isArray(predicted) ? predicted : [predicted]).map((output) => {
    const data = output.dataSync();
    const kind = output.dtype === 'complex64' || output.dtype === 'string' ? 'float32' : output.dtype;
    const values = KINDS[kind].from(data);
    return {
      dtype: kind,
      shape: output.shape,
      data: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
    };
  });
  process.stdout.write(JSON.stringify(outputs) + '\n');
}

main().catch((error) => {
  process.stderr.write(`${error && error.message ? error.message : error}\n`);
  process.exitCode = 1;
});
