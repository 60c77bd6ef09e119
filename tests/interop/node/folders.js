// Saved models in folders of the disk: an IO handler of TensorFlow.js, made of what it exports.
'use strict';

const fs = require('fs');
const path = require('path');

const WEIGHTS = 'weights.bin';

/** The bytes of all weight files of a manifest, as one ArrayBuffer. */
function weightBytes(folder, manifest) {
  const files = manifest.flatMap((group) => group.paths).map((name) => fs.readFileSync(path.join(folder, name)));
  const bytes = Buffer.concat(files);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** A handler that loads model.json with its weight files from a folder, and saves both there. */
function folderHandler(tf, folder) {
  const document = path.join(folder, 'model.json');
  return {
    async load() {
      const json = JSON.parse(fs.readFileSync(document, 'utf8'));
      return tf.io.getModelArtifactsForJSON(
          json, async (manifest) => [manifest.flatMap((group) => group.weights), weightBytes(folder, manifest)]);
    },
    async save(artifacts) {
      fs.mkdirSync(folder, {recursive: true});
      const manifest = [{paths: [WEIGHTS], weights: artifacts.weightSpecs}];
      const {modelTopology, format, generatedBy, convertedBy, trainingConfig, userDefinedMetadata} = artifacts;
      const json = {modelTopology, format, generatedBy, convertedBy, weightsManifest: manifest};
      if (trainingConfig != null) json.trainingConfig = trainingConfig;
      if (userDefinedMetadata != null) json.userDefinedMetadata = userDefinedMetadata;
      fs.writeFileSync(document, JSON.stringify(json));
      fs.writeFileSync(path.join(folder, WEIGHTS), Buffer.from(tf.io.CompositeArrayBuffer.join(artifacts.weightData)));
      return {modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts)};
    },
  };
}

module.exports = {folderHandler};
