import { type BoxXyxy, boxOfMask, calibrated, encodePng, instanceIn, openImages } from '../../imaging/index.js';
import {
  askMasker,
  type BoxSegment,
  type ClipTracking,
  type Masker,
  type Segment,
  type Segmenter,
  takesPoints,
} from '../../infer/index.js';
import { withGivenSpacing } from '../../measure/index.js';
import { mostDetections } from '../../processing/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { UsageError } from '../../util/index.js';
import type { ServeLimits } from '../limits.js';
import { ClipDesk, type ClipDeskOptions } from './clips/index.js';
import { decodeSentMask } from './decode-sent-mask.js';
import type { Engine, EngineFacts, ExemplarRunner } from './engine.js';
import type {
  AnswerOf,
  Answers,
  ExemplarsJob,
  ImageSource,
  Job,
  MasksJob,
  MeasureJob,
  SegmentationJob,
  SegmentJob,
} from './jobs.js';
import { type KeptImage, KeptImages } from './kept-images.js';
import { segmentToLabels } from './label-maps.js';
import { type SegmentedSource, segmentsOf } from './segmentation-objects.js';
import { measuresOf, sentMaskOf, sentSegment } from './sent-segments.js';

/** How often clips that nobody uses are looked for. */
const LOOK_EVERY_MS = 60_000;

/** Further models and settings of an engine. */
interface LocalEngineOptions extends Pick<ClipDeskOptions, 'scratch' | 'now'> {
  readonly byExemplars?: ExemplarRunner | undefined;
  /** Follows objects through clips by a memory. Absent: they are looked for on each frame. */
  readonly tracking?: (ClipTracking & { dispose?(): void }) | undefined;
}

/** Runs jobs in this thread. Owns its models. */
export class LocalEngine implements Engine {
  readonly facts: EngineFacts;
  private readonly segmenter: Segmenter<Masker | undefined>;
  private readonly limits: ServeLimits;
  private readonly images: KeptImages;
  private readonly byExemplars: ExemplarRunner | undefined;
  private readonly tracking: LocalEngineOptions['tracking'];
  private readonly clips: ClipDesk;
  private readonly sweeping: ReturnType<typeof setInterval>;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    segmenter: Segmenter<Masker | undefined>,
    limits: ServeLimits,
    names: Omit<EngineFacts, 'points' | 'exemplars' | 'clips'>,
    { byExemplars, tracking, ...options }: LocalEngineOptions = {},
  ) {
    this.segmenter = segmenter;
    this.byExemplars = byExemplars;
    this.tracking = tracking;
    this.limits = limits;
    this.images = new KeptImages(limits);
    this.clips = new ClipDesk({ segmenter, tracking }, { limits, ...options });
    const clips = segmenter.masker === undefined ? null : tracking === undefined ? 'detection' : 'memory';
    this.facts = { ...names, points: takesPoints(segmenter.masker), exemplars: byExemplars?.name ?? null, clips };
    // Also when nobody asks for anything any more; never while a job runs.
    this.sweeping = setInterval(
      () => {
        this.running = this.running.then(() => this.clips.sweep());
      },
      Math.min(LOOK_EVERY_MS, limits.clipIdleMs),
    );
    (this.sweeping as { unref?(): void }).unref?.();
  }

  async run<J extends Job>(job: J): Promise<AnswerOf<J>> {
    const answer = this.running.then(() => this.answer(job));
    this.running = answer.catch(() => {});
    return (await answer) as AnswerOf<J>;
  }

  private async answer(job: Job): Promise<Answers[Job['kind']]> {
    switch (job.kind) {
      case 'open':
        return (await this.open(job.image)).opened;
      case 'preview':
        return encodePng(this.images.get(job.id).raster);
      case 'segment':
        return this.segment(job);
      case 'masks':
        return this.masks(job);
      case 'exemplars':
        return this.segmentByExemplars(job);
      case 'measure':
        return this.measure(job);
      case 'segmentation':
        return this.segmentation(job);
      case 'labels':
        return segmentToLabels((...args) => this.segmenter.segment(...args), job, this.limits);
      default:
        return this.clips.answer(job);
    }
  }

  private async open(source: ImageSource): Promise<KeptImage> {
    if ('id' in source) return this.images.get(source.id);
    const { raster, frames } = await this.decode(source);
    return this.images.add(raster, frames, await instanceIn(source.bytes, source.name));
  }

  private async decode({ bytes, name, frame, mmPerPixel }: Exclude<ImageSource, { id: string }>) {
    const set = await openImages(bytes, this.limits, name);
    const address = frame ?? set.address(0);
    const image = await set.image(address);
    const raster =
      mmPerPixel === undefined ? image : calibrated(image, withGivenSpacing(image.calibration, mmPerPixel, 'mm_per_pixel'));
    return { raster, frames: { kind: set.kind, count: set.count, per_frame: set.perFrame, address } };
  }

  private async segmentByExemplars({ image, exemplars, label, maskFormat }: ExemplarsJob): Promise<Answers['exemplars']> {
    if (this.byExemplars === undefined)
      throw new UsageError({
        code: 'E_OPTION_MISSING',
        where: 'exemplars',
        what: 'this server has no UniverSeg with weights',
        fix: 'Start it with --universeg',
      });
    const { raster, opened } = await this.open(image);
    // Exemplars of a request are not kept: they would drop the images that somebody is working on.
    const read = async (source: ImageSource) => ('id' in source ? this.images.get(source.id) : await this.decode(source)).raster;
    const { mask, score } = await this.byExemplars.segment(raster, exemplars, read);
    const boxXyxyPx = boxOfMask(mask);
    if (boxXyxyPx === undefined) return { image: opened, segments: [] };
    return {
      image: opened,
      segments: [await sentSegment({ phrase: label, score, boxXyxyPx, mask }, raster.calibration, maskFormat)],
    };
  }

  private async segment({ kind: _kind, image, prompts, boxes, maskFormat, ...options }: SegmentJob): Promise<Answers['segment']> {
    const questions = prompts.map((prompt) => PromptTokenizer.parsePrompt(prompt));
    checkDistinct(questions.flat());
    const { raster, opened } = await this.open(image);
    const found: (Segment | BoxSegment)[] = [];
    for (const phrases of questions) found.push(...(await this.segmenter.segment(raster, phrases, options)));
    found.sort((a, b) => b.score - a.score);
    const kept = found.slice(0, mostDetections(options));
    const given = await this.predictBoxes(
      raster,
      boxes.map(({ boxXyxyPx }) => boxXyxyPx),
    );
    const drawn = boxes.map(({ phrase, boxXyxyPx }, i) => ({ phrase, score: null, boxXyxyPx, ...given[i] }));
    const sent = [...kept, ...drawn].map((segment) => sentSegment(segment, raster.calibration, maskFormat));
    return { image: opened, segments: await Promise.all(sent) };
  }

  private async predictBoxes(raster: KeptImage['raster'], boxes: readonly BoxXyxy[]) {
    if (boxes.length === 0) return [];
    const { masker } = this.segmenter;
    if (masker === undefined) return boxes.map(() => ({}));
    await masker.setImage(raster);
    return (await masker.predictBoxes(boxes)).map(({ mask, score }) => ({ mask, maskScore: score }));
  }

  private async masks({ image, prompts, multimask, maskFormat }: MasksJob): Promise<Answers['masks']> {
    const { masker } = this.segmenter;
    if (masker === undefined)
      throw new UsageError({
        code: 'E_OPTION_MISSING',
        where: 'masks',
        what: 'there is no masker',
        fix: 'Start the server with a --masker',
      });
    const { raster, opened } = await this.open(image);
    await masker.setImage(raster);
    const answers: Answers['masks']['answers'][number][] = [];
    for (const prompt of prompts) {
      const masks = await askMasker(masker, prompt, multimask);
      answers.push({
        masks: await Promise.all(masks.map(({ mask, score }) => sentMaskOf(mask, score, raster.calibration, maskFormat))),
      });
    }
    return { image: opened, answers };
  }

  /** Segments of an image, measured; those of a clip are not, as only marks on its frames are. */
  private async segmentation({ bytes, name, of }: SegmentationJob): Promise<Answers['segmentation']> {
    const image = 'image' in of ? this.images.get(of.image) : undefined;
    const source = image === undefined ? this.clips.sourceOf((of as { clip: string }).clip) : sourceOfImage(image);
    const calibration = image?.raster.calibration;
    const sent: Answers['segmentation'][number][] = [];
    // One at a time: a long clip has many masks.
    for await (const { frame, segment, name: phrase, mask } of segmentsOf(bytes, name, source)) {
      const found = { phrase, score: null, boxXyxyPx: boxOfMask(mask) as BoxXyxy, mask };
      sent.push({ frame, segment, ...(await sentSegment(found, calibration, 'rle')) });
    }
    return sent;
  }

  private async measure({ image, mmPerPixel, masks }: MeasureJob): Promise<Answers['measure']> {
    const { raster } = await this.open(image);
    const { width, height, calibration: own } = raster;
    const calibration = mmPerPixel === undefined ? own : withGivenSpacing(own, mmPerPixel, 'mm_per_pixel');
    return masks.map((rle, i) => measuresOf(decodeSentMask(rle, { width, height }, `masks.${i}`), calibration));
  }

  async close(): Promise<void> {
    clearInterval(this.sweeping);
    await this.clips.close();
    this.tracking?.dispose?.();
    this.segmenter.dispose();
    this.byExemplars?.dispose();
  }
}

function sourceOfImage({ raster: { width, height }, instance, opened }: KeptImage): SegmentedSource {
  const { kind, count, address } = opened.frames;
  return { size: { width, height }, instance, frame: kind === 'frames' && count > 1 ? Number(address) : 0 };
}

function checkDistinct(phrases: readonly string[]): void {
  const twice = phrases.find((phrase, i) => phrases.indexOf(phrase) !== i);
  if (twice === undefined) return;
  throw new UsageError({
    code: 'E_PROMPT_DUPLICATE',
    where: 'prompt',
    what: `"${twice}" is asked for twice`,
    fix: 'Name each thing once',
  });
}
