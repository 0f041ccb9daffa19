import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigDocument } from '../../src/config/parse-yaml.js';
import { validate } from '../../src/config/validate.js';
import { openFolders } from '../../src/data/audit/open-folders.js';
import { parseCocoFile } from '../../src/data/coco-schema.js';
import { FoldersDataset } from '../../src/data/folders.js';
import { FileTree } from '../../src/data/import/file-tree.js';
import { checkPlaces } from '../../src/data/import/places.js';
import { readTable } from '../../src/data/import/readers/table.js';
import { findImporter } from '../../src/data/import/registry.js';
import { readSplitFile } from '../../src/data/import/splits/split-file.js';
import { kFolds } from '../../src/data/splits.js';
import { stageFolder } from '../../src/export/staging.js';
import { parsePart } from '../../src/imaging/formats/address.js';
import { decodeImage } from '../../src/imaging/index.js';
import { fitMask } from '../../src/imaging/mask.js';
import { parseShard } from '../../src/infer/batch/shard.js';
import { readCalibration } from '../../src/infer/calibration.js';
import { checkPrompts } from '../../src/infer/mask-prompts.js';
import { adapterFolder } from '../../src/lora/adapter-file.js';
import { placesFitting } from '../../src/lora/peft-names.js';
import { resolveModelDirectory } from '../../src/pretrained/hub/cache.js';
import { parseModelName } from '../../src/pretrained/hub/model-name.js';
import { forbiddenByOffline } from '../../src/pretrained/hub/refusals.js';
import { hubSettings } from '../../src/pretrained/hub/settings.js';
import { phraseFrom } from '../../src/prompts/phrase.js';
import { checkToken } from '../../src/serve/access.js';
import { notFinite } from '../../src/train/step.js';
import { TrainingStopped } from '../../src/train/training-stopped.js';
import { assertShape, type ErrorCode, safeRelative, writeFileAtomic } from '../../src/util/index.js';
import { readSafetensors } from '../../src/weights/formats/index.js';
import { writeSafetensors } from '../../src/weights/formats/write-safetensors.js';
import { readJson } from '../../src/weights/read-json.js';
import { weightFile } from '../../src/weights/weights.js';
import { readMetrics } from '../../src/workflows/metrics-file.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('sentences');
const at = (name: string) => join(dir, name);

/** A folder of its own with files in it. */
async function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  for (const [file, content] of Object.entries(files)) await writeFileAtomic(join(dir, name, file), content);
  await mkdir(at(name), { recursive: true });
  return at(name);
}

function thrown(error: unknown): never {
  throw error;
}

/** For each code that is within easy reach, one way to it. */
const WAYS: Partial<Record<ErrorCode, () => unknown>> = {
  E_ADAPTER_NOT_FOUND: () => adapterFolder(at('no-adapter')),
  E_ANNOTATIONS_INVALID: async () => parseCocoFile('{', 'train.json'),
  E_CALIBRATION_DAMAGED: async () => readCalibration(await folder('calibrated', { 'calibration.json': '{}' })),
  E_CONFIG_PATTERN: async () => placesFitting([], ['*.query'], 'lora.targets'),
  E_CONFIG_SYNTAX: async () => ConfigDocument.parse('train: [1', 'run.yaml'),
  E_CONFIG_VALUE: async () =>
    validate(z.strictObject({ epochs: z.int() }), ConfigDocument.parse('epoch: 1\nepochs: x', 'run.yaml')),
  E_DATASET_NOT_IMPORTED: async () => openFolders([await folder('not-imported', {})]),
  E_DATASET_PACKED: async () => FileTree.open(join(await folder('packed', { 'stu.zip': 'PK' }), 'stu.zip')),
  E_ENVIRONMENT: () => hubSettings({ HF_ENDPOINT: 'mirror' }),
  E_FILE_KIND: () => readSafetensors(dir),
  E_FILE_NOT_FOUND: () => readJson(at('none.json')),
  E_FILE_WRITE: () => writeFileAtomic(dir, ''),
  E_HTTP_TOKEN: async () => checkToken('a'.repeat(32), undefined),
  E_HUB_OFFLINE: async () => thrown(forbiddenByOffline('owner/model', await hubSettings({ HF_HUB_OFFLINE: '1' }))),
  E_IMAGE_UNREADABLE: async () => decodeImage(join(await folder('unreadable', { 'a.png': 'not an image' }), 'a.png')),
  E_INPUT_IS_OUTPUT: async () => checkPlaces(await folder('nested', {}), at('nested/out')),
  E_LOSS_NOT_FINITE: async () => thrown(notFinite('loss', 4, ['a'])),
  E_MASK_NOT_FOUND: async () =>
    FoldersDataset.open(await folder('no-mask', { 'images/a.png': '', 'masks/b.png': '' }), { phrase: 'cyst' }),
  E_MASK_SIZE: async () => fitMask({ width: 2, height: 4, data: new Uint8Array(8) }, { width: 4, height: 4 }, 'm.png'),
  E_MODEL_DAMAGED: async () => readJson(join(await folder('broken', { 'config.json': '{' }), 'config.json')),
  E_MODEL_INCOMPLETE: async () => weightFile(await folder('no-weights', {})),
  E_MODEL_NAME: async () => parseModelName('grounding-dino-tny'),
  E_MODEL_NOT_DOWNLOADED: async () => resolveModelDirectory('owner/model', await hubSettings({ HF_HUB_CACHE: at('cache') })),
  E_MODEL_NOT_FOUND: () => resolveModelDirectory('./nowhere'),
  E_NO_IMAGES: async () =>
    FoldersDataset.open(await folder('no-images', { 'images/notes.txt': '', 'masks/b.png': '' }), { phrase: 'cyst' }),
  E_NUMBER_RANGE: () =>
    writeSafetensors(at('half.safetensors'), new Map([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(7e4) }]]), {
      half: true,
    }),
  E_OPTION_VALUE: async () => parseShard('4/4'),
  E_OUTPUT_EXISTS: async () => stageFolder(await folder('taken', { 'a.txt': '' }), false, async () => {}),
  E_PATH_OUTSIDE: async () => safeRelative('../a.png', 'train.json: image 3'),
  E_FRAME_NOT_FOUND: async () => parsePart('third'),
  E_PROMPT_INVALID: async () => checkPrompts({ boxes: [[4, 4, 2, 2]] }, { width: 8, height: 8 }, { width: 2, height: 2 }),
  E_PROMPT_TEXT: async () => phraseFrom('--', 'prompt'),
  E_RESULTS_DAMAGED: async () => readMetrics(join(await folder('results', { 'metrics.json': '{}' }), 'metrics.json')),
  E_SHAPE: async () => assertShape({ shape: [2, 3] }, [2, null, 4], 'boxes'),
  E_SPLITS_INVALID: async () => {
    const file = join(await folder('splits', { 'splits.json': '{}' }), 'splits.json');
    return readSplitFile(file, findImporter('stu'));
  },
  E_SPLIT_EMPTY: async () => kFolds(1, 5, 0),
  E_TABLE_INVALID: async () =>
    readTable(join(await folder('tables', { 'old.xls': Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0) }), 'old.xls')),
  E_TRAINING_STOPPED: async () => thrown(new TrainingStopped('runs/us', 3)),
  E_WEIGHTS_AMBIGUOUS: async () => weightFile(await folder('ambiguous', { 'a.bin': '', 'b.bin': '' })),
  E_WEIGHTS_DAMAGED: async () => readSafetensors(join(await folder('empty', { 'a.safetensors': '' }), 'a.safetensors')),
};

it('says the sentences that were read and approved: of each kind of failure one', async () => {
  const sentences: Record<string, string> = {};
  for (const [code, way] of Object.entries(WAYS) as [ErrorCode, () => unknown][]) {
    const { message } = await expectError(Promise.resolve().then(way), { code });
    sentences[code] = message.replaceAll(dir, 'DIR');
  }
  expect(Object.keys(sentences).length).toBeGreaterThan(35);
  // After a change of words: npm test -- test/util/error-sentences.test.ts -u
  expect(sentences).toMatchSnapshot();
});
