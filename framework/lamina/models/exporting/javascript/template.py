"""What stands around the programs of layers in ``layers.js``: the class that runs them, and ops made of several."""

from __future__ import annotations

from typing import Final

BEGINNING: Final = """\
// Layers that TensorFlow.js does not have, for the model.json beside this file.
//
// In a page, a classic script after tf.min.js, where it registers itself.
// In Node.js or through a bundler: import {register} from './layers.js'; register(tf);
//
// They predict. Their weights are trained as the model says, without regularizers and constraints; dropout inside of
// them does nothing.
(function (global) {
'use strict';

function register(tf) {
  const ops = operations(tf);
  const known = tf.serialization.SerializationMap.getMap().classNameMap;

  /** A layer whose computation stands below, in the programs of its class, under its name. */
  class LayerOfOps extends tf.layers.Layer {
    constructor(config) {
      super(config);
      this.program = found(this.constructor.programs, config);
      if (this.program === undefined) {
        throw new Error(`layers.js has no ${this.getClassName()} named ${this.name} with these settings.`);
      }
      this.settings = Object.assign({}, config);
      delete this.settings.customObjects;
      this.supportsMasking = this.program.supportsMasking;
    }

    build(inputShape) {
      this.ownWeights = this.program.weights.map(([name, saved, shape, dtype, trainable]) => {
        const weight = this.addWeight(name, shape, dtype, tf.initializers.zeros(), null, trainable);
        weight.originalName = saved;
        return weight;
      });
      super.build(inputShape);
    }

    computeOutputShape(inputShape) {
      const given = Array.isArray(inputShape[0]) ? inputShape : [inputShape];
      const sizes = given.map((shape) => shape.map((size) => size === null ? NaN : size));
      const shapes = called(this, given.length).shapes(sizes);
      const plain = shapes.map((shape) => shape.map((size) => Number.isNaN(size) ? null : size));
      return plain.length === 1 ? plain[0] : plain;
    }

    computeMask(inputs, mask) {
      return Array.isArray(mask) ? mask[0] : mask;
    }

    call(inputs, kwargs) {
      const given = Array.isArray(inputs) ? inputs : [inputs];
      const {run, equal, masked} = called(this, given.length);
      const mask = masked && kwargs ? kwargs.mask : null;
      if (masked && mask == null) throw new Error(`${this.name}: its input came without a mask.`);
      for (const places of equal) {
        const sizes = places.map(([input, axis]) => given[input].shape[axis]);
        if (sizes.some((size) => size !== sizes[0])) {
          throw new Error(`${this.name}: inputs have the sizes ${sizes} where they have to be equal.`);
        }
      }
      return tf.tidy(() => {
        const outputs = run(given, this.ownWeights.map((weight) => weight.read()), mask);
        return outputs.length === 1 ? outputs[0] : outputs;
      });
    }

    getConfig() {
      return Object.assign({}, this.settings, super.getConfig());
    }

    /** The layer of a config: one of these, or else what the class of that name was before. */
    static fromConfig(cls, config) {
      if (cls.before !== undefined && found(cls.programs, config) === undefined) {
        return cls.before[1](cls.before[0], config);
      }
      return new cls(config);
    }
  }

  function add(className, programs) {
    const before = known[className];
    const own = class extends LayerOfOps {
      static get className() { return className; }
    };
    own.programs = programs;
    own.before = before;
    tf.serialization.registerClass(own);
  }
"""

ENDING: Final = """\
}

/** The program for a layer's config: that of its name, if the settings that both have are the same. */
function found(programs, config) {
  return programs.find(({name, settings}) => name === config.name && alike(settings, config));
}

/** Whether a config has the settings, as far as it has them; names may be spelled in snake_case or in camelCase. */
function alike(one, other) {
  if (one === null || typeof one !== 'object') return normal(one) === normal(other);
  if (other === null || typeof other !== 'object') return false;
  if (Array.isArray(one)) return one.length === other.length && one.every((value, i) => alike(value, other[i]));
  return Object.keys(one).every((key) => {
    const given = key in other ? other[key] : other[camel(key)];
    return given === undefined || alike(one[key], given);
  });
}

const camel = (key) => key.replace(/_+(\\w|$)/g, (_, letter) => letter.toUpperCase());

const normal = (value) => String(value).replace(/_/g, '').toLowerCase();

function called(layer, count) {
  const one = layer.program.calls.find(({inputs}) => inputs === count);
  if (one === undefined) throw new Error(`${layer.name} was called on ${count} tensors.`);
  return one;
}

/** Operations that are several of TensorFlow.js's. Images are (batch, spatial axes, channels). */
function operations(tf) {
  const padded = (x, pads, value = 0) =>
      pads.every(([before, after]) => before === 0 && after === 0) ? x :
      tf.pad(x, [[0, 0], ...pads, [0, 0]], value);
  const spatial = (x) => x.shape.slice(1, -1);
  const ones = (numbers) => numbers.every((n) => n === 1);

  /** A sequence as an image of one row. */
  const asRow = (x, axis) => tf.expandDims(x, axis);

  /** A kernel with zeros between its elements. */
  function dilated(kernel, dilations) {
    let found = kernel;
    dilations.forEach((dilation, axis) => {
      if (dilation === 1) return;
      const shape = found.shape;
      const size = shape[axis];
      const apart = tf.expandDims(found, axis + 1);
      const spread = tf.pad(apart, apart.shape.map((_, a) => a === axis + 1 ? [0, dilation - 1] : [0, 0]));
      const flat = tf.reshape(spread, shape.map((s, a) => a === axis ? size * dilation : s));
      const sizes = shape.map((s, a) => a === axis ? (size - 1) * dilation + 1 : s);
      found = tf.slice(flat, shape.map(() => 0), sizes);
    });
    return found;
  }

  function grouped(x, kernel, groups, one) {
    if (groups === 1) return one(x, kernel);
    const parts = tf.split(x, groups, x.rank - 1);
    const kernels = tf.split(kernel, groups, kernel.rank - 1);
    return tf.concat(parts.map((part, i) => one(part, kernels[i])), x.rank - 1);
  }

  function convolution(x, kernel, strides, pads, dilations, groups) {
    if (strides.length === 1) {
      const y = convolution(
          asRow(x, 1), asRow(kernel, 0), [1, ...strides], [[0, 0], ...pads], [1, ...dilations], groups);
      return tf.squeeze(y, [1]);
    }
    const image = padded(x, pads);
    const spread = ones(strides) ? kernel : dilated(kernel, dilations);
    const steps = ones(strides) ? dilations : dilations.map(() => 1);
    if (strides.length === 2 && groups > 1 && groups === x.shape[3]) {
      const [height, width, , filters] = spread.shape;
      const own = tf.reshape(spread, [height, width, groups, filters / groups]);
      return tf.depthwiseConv2d(image, own, strides, 'valid', 'NHWC', steps);
    }
    return grouped(image, spread, groups, (part, own) => strides.length === 2 ?
        tf.conv2d(part, own, strides, 'valid', 'NHWC', steps) :
        tf.conv3d(part, own, strides, 'valid', 'NDHWC', steps));
  }

  /** The gradient of a convolution with respect to an image of such a size. */
  function transposed(dy, kernel, size, strides, pads, dilations, groups) {
    if (strides.length === 1) {
      const y = transposed(
          asRow(dy, 1), asRow(kernel, 0), [1, ...size], [1, ...strides], [[0, 0], ...pads], [1, ...dilations], groups);
      return tf.squeeze(y, [1]);
    }
    const spread = dilated(kernel, dilations);
    const many = strides.length;
    const full = spatial(dy).map((n, a) => (n - 1) * strides[a] + spread.shape[a]);
    const whole = grouped(dy, spread, groups, (part, own) => {
      const shape = [dy.shape[0], ...full, own.shape[many]];
      return many === 2 ? tf.conv2dTranspose(part, own, shape, strides, 'valid') :
          tf.conv3dTranspose(part, own, shape, strides, 'valid');
    });
    const missing = full.map((n, a) => [0, Math.max(0, pads[a][0] + size[a] - n)]);
    const begin = [0, ...pads.map(([before]) => before), 0];
    return tf.slice(padded(whole, missing), begin, [dy.shape[0], ...size, whole.shape[many + 1]]);
  }

  /** The largest element, or the average without padding, of each window. */
  function pooled(kind, x, window, strides, pads, dilations) {
    if (window.length === 1) {
      const y = pooled(kind, asRow(x, 1), [1, ...window], [1, ...strides], [[0, 0], ...pads], [1, ...dilations]);
      return tf.squeeze(y, [1]);
    }
    if (!ones(dilations) && window.length > 2) throw new Error('windows of volumes with gaps are not supported.');
    const over = (image) => {
      if (window.length > 2) {
        const name = kind === 'max' ? 'maxPool3d' : 'avgPool3d';
        return tf[name](image, window, strides, 'valid');
      }
      return tf.pool(image, window, kind === 'max' ? 'max' : 'avg', 'valid', dilations, strides);
    };
    if (pads.every(([before, after]) => before === 0 && after === 0)) return over(x);
    if (kind === 'max') return over(padded(x, pads, -Infinity));
    return tf.div(over(padded(x, pads)), over(padded(tf.onesLike(x), pads)));
  }

  /** The steps of a sequence, (batch, time, features), after the product with a kernel. */
  function projected(x, kernel, bias) {
    const [batch, time, features] = x.shape;
    const rows = tf.add(tf.matMul(tf.reshape(x, [batch * time, features]), kernel), bias);
    return tf.unstack(tf.reshape(rows, [batch, time, kernel.shape[1]]), 1);
  }

  /** Which examples go on at each step; at the others the state stays. */
  const keeps = (mask) => mask === undefined ? null : tf.unstack(tf.expandDims(tf.cast(mask, 'bool'), 2), 1);

  /** The states after each step, side by side. */
  const joined = (states, h) => states.length > 0 ? tf.stack(states, 1) : tf.zeros([h.shape[0], 0, h.shape[1]]);

  function gru(resetAfter, x, kernel, recurrent, bias, first, mask) {
    const units = first.shape[1];
    const [ofInputs, ofState] = resetAfter ? tf.unstack(bias) : [bias, null];
    const thirds = (y) => tf.split(y, [2 * units, units], 1);
    const [gatesKernel, lastKernel] = thirds(recurrent);
    const kept = keeps(mask);
    const states = [];
    let h = first;
    projected(x, kernel, ofInputs).forEach((step, time) => {
      const [gates, last] = thirds(step);
      const [ownGates, ownLast] = resetAfter ?
          thirds(tf.add(tf.matMul(h, recurrent), ofState)) : [tf.matMul(h, gatesKernel), null];
      const [z, r] = tf.split(tf.sigmoid(tf.add(gates, ownGates)), 2, 1);
      const reset = resetAfter ? tf.mul(r, ownLast) : tf.matMul(tf.mul(r, h), lastKernel);
      const candidate = tf.tanh(tf.add(last, reset));
      const next = tf.add(candidate, tf.mul(z, tf.sub(h, candidate)));
      h = kept === null ? next : tf.where(kept[time], next, h);
      states.push(h);
    });
    return joined(states, h);
  }

  function lstm(x, kernel, recurrent, bias, firstH, firstC, mask) {
    const kept = keeps(mask);
    const states = [];
    let h = firstH;
    let c = tf.clone(firstC);
    projected(x, kernel, bias).forEach((step, time) => {
      const [i, f, g, o] = tf.split(tf.add(step, tf.matMul(h, recurrent)), 4, 1);
      const nextC = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      const nextH = tf.mul(tf.sigmoid(o), tf.tanh(nextC));
      h = kept === null ? nextH : tf.where(kept[time], nextH, h);
      c = kept === null ? nextC : tf.where(kept[time], nextC, c);
      states.push(h);
    });
    return [joined(states, h), c];
  }

  return {convolution, transposed, pooled, gru, lstm};
}

global.laminaLayers = {register};
if (typeof exports === 'object' && exports) exports.register = register;
else if (global.tf && global.tf.layers) register(global.tf);
})(typeof globalThis === 'object' ? globalThis : self);
"""
