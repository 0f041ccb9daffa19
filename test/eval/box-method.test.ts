import { describe, expect, it } from '@jest/globals';
import { AnswerCache, BoxMethod, collect, detectedBoxes, type ModelMethod, oracleBoxes } from '../../src/eval/index.js';
import { type BoxXyxy, boxOfMask, type RasterImage } from '../../src/imaging/index.js';
import type { BoxEntry } from '../../src/methods/index.js';
import { methodEntries } from '../../src/methods/index.js';
import type { Answer } from '../../src/protocols/index.js';
import { useBackend } from '../support/backend.js';
import { answered, datasetOf, object, plain, rectangle, sample } from '../support/eval.js';
import { fixturePath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('box-method');

/** Fills the boxes that it is given, and counts what it is asked. */
class Filling {
  loads = 0;
  images = 0;
  boxes: BoxXyxy[] = [];
  private image: RasterImage | undefined;

  readonly entry: BoxEntry = {
    name: 'filling',
    title: 'Filling',
    takes: 'box',
    licence: { code: 'none', weights: 'none' },
    weights: { published: 'none' },
    trainedOn: { datasets: ['BUSI'], source: 'this test' },
    configs: [{}],
    create: async () => {
      this.loads += 1;
      return {
        setImage: async (image) => {
          this.images += 1;
          this.image = image;
        },
        predictBoxes: async (boxes) => {
          this.boxes.push(...boxes);
          return boxes.map((box) => ({ mask: rectangle(box, this.image), score: 0.5 }));
        },
        dispose: () => {},
      };
    },
  };
}

/** Our detector, with the answers of a test. */
function detector(answer: Answer): ModelMethod {
  return { answer: async () => answer } as unknown as ModelMethod;
}

const WEIGHTS = fixturePath('sam-windows');

async function open(filling: Filling, found: Answer, name = String(Math.random())): Promise<BoxMethod[]> {
  const sources = [oracleBoxes, detectedBoxes(detector(found))];
  return BoxMethod.open({
    entry: filling.entry,
    weights: WEIGHTS,
    asPublished: false,
    sources,
    cache: new AnswerCache(`${dir}/${name}`),
  });
}

const two = sample('a', [object('cyst', [2, 2, 10, 10]), object('tumor', [20, 5, 30, 20])]);

describe('a method that takes boxes', () => {
  it('is two rows: the ground-truth boxes, marked as oracle, and those of our detector', async () => {
    const [oracle, ours] = await open(new Filling(), []);
    expect([oracle?.name, ours?.name]).toEqual(['filling (oracle box)', 'filling (our box)']);
    expect([oracle?.given, ours?.given]).toEqual(['box (oracle)', 'box (our detector)']);
    expect([oracle?.scored, ours?.scored]).toEqual([false, true]);
    expect([oracle?.seen('busi'), oracle?.seen('STU')]).toEqual(['yes', 'unknown']);
  });

  it('masks the objects of the phrases that are asked for, and scores fully where boxes are filled', async () => {
    const filling = new Filling();
    const methods = await open(filling, []);
    const oracle = methods[0] as BoxMethod;
    expect((await oracle.answer(two, ['tumor'])).map(({ phrase, boxXyxyPx }) => [phrase, boxXyxyPx])).toEqual([
      ['tumor', [20, 5, 30, 20]],
    ]);
    // The paper's protocol takes both objects, since nothing says which is the best.
    const pair = sample('p', [object('tumor', [2, 2, 10, 10]), object('tumor', [20, 5, 30, 20])]);
    const { rows } = await collect([{ dataset: datasetOf([pair]), methods: [oracle] }], plain);
    expect(rows.map(({ protocol, target, dsc, predicted }) => [protocol, target, dsc, predicted])).toEqual([
      ['strict', 'tumor', 1, 2],
      ['paper', 'tumor', 1, 2],
    ]);
  });

  it('gives every object where one phrase stands for all, and none for a structure that is absent', async () => {
    const oracle = (await open(new Filling(), []))[0] as BoxMethod;
    expect((await oracle.answer(two, ['lesion'])).map(({ phrase }) => phrase)).toEqual(['lesion', 'lesion']);
    const asked = { ...two, phrases: ['cyst', 'tumor', 'spleen'] };
    expect(await oracle.answer(asked, ['spleen'])).toEqual([]);
    expect(await oracle.answer(sample('n', []), ['tumor'])).toEqual([]);
  });

  it('with our detector masks the boxes that count, and keeps the scores of all', async () => {
    const filling = new Filling();
    const counted = answered('tumor', 0.8, [20, 5, 30, 20], rectangle([1, 1, 2, 2]));
    const { mask: _, maskScore: __, ...uncounted } = answered('tumor', 0.1, [0, 0, 5, 5]);
    const ours = (await open(filling, [counted, uncounted]))[1] as BoxMethod;
    const [first, second] = await ours.answer(two, ['tumor']);
    expect([first?.score, second?.score]).toEqual([0.8, 0.1]);
    // Our masker's mask is replaced, within the same box.
    expect(first?.mask && boxOfMask(first.mask)).toEqual(counted.boxXyxyPx);
    expect(first?.maskScore).toBe(0.5);
    expect(second).not.toHaveProperty('mask');
    expect(filling.boxes).toEqual([counted.boxXyxyPx]);
  });

  it('loads one model for both rows, and none for what it has answered before', async () => {
    const filling = new Filling();
    const methods = await open(filling, [answered('tumor', 0.8, [20, 5, 30, 20])], 'shared');
    for (const method of methods) await method.answer(two, ['tumor']);
    // The box of the truth and of the detector is the same one.
    expect([filling.loads, filling.boxes.length]).toEqual([1, 1]);
    const again = new Filling();
    for (const method of await open(again, [answered('tumor', 0.8, [20, 5, 30, 20])], 'shared'))
      await method.answer(two, ['tumor']);
    expect(again.loads).toBe(0);
  });

  it('is timed without its cache', async () => {
    const filling = new Filling();
    const oracle = (await open(filling, [], 'shared'))[0] as BoxMethod;
    await oracle.predict(two, ['tumor']);
    await oracle.predict(two, ['tumor']);
    expect(filling.images).toBe(2);
  });

  it('of the list names the datasets that it is known to have seen', () => {
    const seen = Object.fromEntries(methodEntries.map(({ name, trainedOn }) => [name, trainedOn?.datasets.join(' ')]));
    expect(seen).toEqual({
      universeg: undefined,
      biomedparse: 'BUSI CAMUS FH-PS-AOP',
      samus: 'TN3K TG3K BUSI CAMUS',
      'medclip-sam': undefined,
      'medclip-samv2': 'MedPix',
      medsam: undefined,
    });
  });
});
