// Tensors as plain values of JSON, and back.
'use strict';

const KINDS = {float32: Float32Array, int32: Int32Array, bool: Uint8Array, complex64: Float32Array};

/** A tensor as {dtype, shape, base64}; one of strings as {dtype, shape, values}. */
function encoded(tensor) {
  const {dtype, shape} = tensor;
  const values = tensor.dataSync();
  if (dtype === 'string') return {dtype, shape, values: Array.from(values)};
  const bytes = KINDS[dtype].from(values);  // a tensor that was cast may still hold values of the other kind
  return {dtype, shape, base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')};
}

/** The tensor of what encoded() gave. */
function decoded(tf, {dtype, shape, base64, values}) {
  if (dtype === 'string') return tf.tensor(values, shape, dtype);
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const found = new KINDS[dtype](bytes.buffer);
  if (dtype !== 'complex64') return tf.tensor(found, shape, dtype);
  const part = (offset) => tf.tensor(found.filter((_, i) => i % 2 === offset), shape);
  return tf.complex(part(0), part(1));
}

const isTensor = (value) => value && typeof value === 'object' && 'dtype' in value && 'shape' in value &&
    ('base64' in value || 'values' in value);

/** A value with every tensor in it decoded. */
function withTensors(tf, value) {
  if (isTensor(value)) return decoded(tf, value);
  if (Array.isArray(value)) return value.map((v) => withTensors(tf, v));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, withTensors(tf, v)]));
  }
  return value;
}

/** A value with every tensor in it encoded. */
function withoutTensors(tf, value) {
  if (value instanceof tf.Tensor) return encoded(value);
  if (Array.isArray(value)) return value.map((v) => withoutTensors(tf, v));
  if (typeof value === 'number' && !Number.isFinite(value)) return {number: String(value)};
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, withoutTensors(tf, v)]));
  }
  return value;
}

module.exports = {withTensors, withoutTensors};
