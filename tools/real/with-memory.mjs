/**
 * Copies the folder of a SAM 2 of images, adding a small memory with random weights: the start of configs/ultrasound-memory.yaml.
 * All weights of images stay as they are.
 *
 *   node tools/real/with-memory.mjs weights/ultrasound-masker runs/start-memory
 *
 * Attention to memories starts with what lies at the same place: biases of queries and keys are equal, and turned by their places. What
 * is added to the image starts weak, and the norm behind it with weights that give back the image features (by least squares on
 * phantoms), so that the decoder, which stays as it is, sees what it knows.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initBackend, tf } from '../../dist/backend/index.js';
import { generatePhantom, phantomDomains } from '../../dist/data/index.js';
import { parseSam2VideoConfig, Sam2Video } from '../../dist/models/sam2/index.js';
import { inference } from '../../dist/nn/index.js';
import { loadSam2Masker } from '../../dist/pretrained/index.js';
import { ImageProcessor } from '../../dist/processing/index.js';
import { Rng } from '../../dist/util/index.js';
import { saveCheckpoint } from '../../dist/weights/index.js';
import { changeConfig } from './config-json.mjs';

const [from, to] = process.argv.slice(2);
if (to === undefined) throw new Error('usage: node tools/real/with-memory.mjs FROM TO');

/** Channels of a memory's cells. */
const CHANNELS = 32;

/** Phantoms that the norm is fitted on. */
const IMAGES = 32;

/** Factor on what attention and MLP add at first. */
const WEAK = 0.3;

/** Bias of all channels of queries and keys: with it, attention falls to a tenth within two or three cells. */
const PLACE = 2;

/** Integers that transformers reads as floats. */
const FLOATS = [
  'sigmoid_scale_for_mem_enc',
  'sigmoid_bias_for_mem_enc',
  'memory_attention_dropout',
  'memory_attention_rope_dropout',
  'memory_attention_rope_theta',
];

/** Slowest turn of positions, which tell the cells of a small map apart. */
const THETA = 100;

const image = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'));
const width = image.vision_config.fpn_hidden_size;
const json = {
  ...image,
  model_type: 'sam2_video',
  architectures: ['Sam2VideoModel'],
  image_size: image.prompt_encoder_config.image_size,
  num_maskmem: 5,
  max_object_pointers_in_encoder: 8,
  max_cond_frame_num: 4,
  enable_occlusion_spatial_embedding: true,
  enable_temporal_pos_encoding_for_object_pointers: true,
  multimask_output_in_sam: true,
  multimask_min_pt_num: 0,
  multimask_max_pt_num: 1,
  multimask_output_for_tracking: true,
  sigmoid_scale_for_mem_enc: 20,
  sigmoid_bias_for_mem_enc: -10,
  memory_attention_hidden_size: width,
  memory_attention_num_layers: 2,
  memory_attention_num_attention_heads: 1,
  memory_attention_downsample_rate: 2,
  memory_attention_feed_forward_hidden_size: 2 * width,
  memory_attention_feed_forward_hidden_act: 'relu',
  memory_attention_dropout: 0,
  memory_attention_rope_dropout: 0,
  memory_attention_rope_theta: THETA,
  memory_attention_rope_feat_sizes: [image.prompt_encoder_config.image_size / 16, image.prompt_encoder_config.image_size / 16],
  memory_encoder_hidden_size: width,
  memory_encoder_output_channels: CHANNELS,
  mask_downsampler_embed_dim: width,
  mask_downsampler_kernel_size: 4,
  mask_downsampler_stride: 4,
  mask_downsampler_padding: 0,
  mask_downsampler_total_stride: 16,
  mask_downsampler_hidden_act: 'gelu',
  memory_fuser_num_layers: 2,
  memory_fuser_embed_dim: width,
  memory_fuser_intermediate_dim: 2 * width,
  memory_fuser_kernel_size: 7,
  memory_fuser_padding: 3,
  memory_fuser_layer_scale_init_value: 0.1,
  memory_fuser_hidden_act: 'gelu',
};

await initBackend();
const config = parseSam2VideoConfig(json);
const model = new Sam2Video(config);
const parameters = new Map(model.namedParameters());
const { model: images } = await loadSam2Masker(from);
for (const [path, { value }] of images.namedParameters()) parameters.get(path).assign(value);
model.initialise(Rng.seeded(11));

for (const [path, parameter] of parameters)
  if (/^memory_attention\.layers\.\d+\.(.*o_proj|linear2)\.weight$/.test(path))
    parameter.assign(tf.tidy(() => parameter.value.mul(WEAK)));
  else if (/cross_attn_image\.[qk]_proj\.bias$/.test(path)) parameter.assign(tf.fill(parameter.shape, PLACE));

const processor = await ImageProcessor.load(from);
const options = { width: 192, height: 160, domain: phantomDomains.standard };
const phantoms = Array.from({ length: IMAGES }, (_, i) => generatePhantom(990_000 + i, options).image);
tf.tidy(() => {
  const { pixelValues } = processor.process(phantoms);
  const features = model.encodeFrame(pixelValues, inference).embeddings.reshape([-1, width]);
  const wanted = features.add(parameters.get('no_memory_embedding').value.reshape([1, width]));
  const { mean, variance } = tf.moments(features, 1, true);
  const normed = features.sub(mean).div(variance.add(1e-5).sqrt());
  const [x, y] = [normed.sub(normed.mean(0)), wanted.sub(wanted.mean(0))];
  const slope = x.mul(y).sum(0).div(x.square().sum(0));
  parameters.get('memory_attention.layer_norm.weight').assign(slope);
  parameters.get('memory_attention.layer_norm.bias').assign(wanted.mean(0).sub(slope.mul(normed.mean(0))));
});

await cp(from, to, { recursive: true });
await saveCheckpoint(model, join(to, 'model.safetensors'));
const file = join(to, 'config.json');
await changeConfig(file, (content) => Object.assign(content, json));
const written = await readFile(file, 'utf8');
await writeFile(
  file,
  written.replace(/"(\w+)": (-?\d+)(?=[,\n])/g, (line, key) => (FLOATS.includes(key) ? `${line}.0` : line)),
);
const own = new Set([...images.namedParameters()].map(([path]) => path));
const size = (list) => list.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
const added = [...parameters].filter(([path]) => !own.has(path));
process.stdout.write(`${size(added)} parameters of memory, ${size([...parameters])} in all\n`);
