/** What a reader should know of a model before using it. */
export interface AboutModel {
  /** Number of parameters, as a text: `172 M`. */
  readonly parameters: string;
  readonly licence: string;
  readonly trainedOn: string;
  /** A restriction of use. Absent: none is stated. */
  readonly restricted?: string;
}

/** A model with a short name. */
export interface KnownModel extends AboutModel {
  readonly repo: string;
  /** The pinned commit; default: the current head of `main`. */
  readonly commit?: string;
  /** Size of the weights in bytes, if known. */
  readonly bytes?: number;
  /** Its only file, in a repository that holds several models. Default: the whole repository is one model. */
  readonly file?: string;
  /** Files beside {@link file} that belong to the model, and are downloaded with it. */
  readonly beside?: readonly string[];
  /** A layer of which a complete adapter has weights; `download` reports when they are missing. */
  readonly expectedLayer?: string;
}

const APACHE = 'Apache-2.0';
const DINO_DATA = 'Objects365, GoldG, Cap4M';
const SA1B = 'SA-1B';
const SAV = 'SA-V, SA-1B and Meta’s internal videos';

const mm = (size: 'tiny' | 'base' | 'large', data: string, trainedOn: string): KnownModel => ({
  repo: `openmmlab-community/mm_grounding_dino_${size}_${data}`,
  parameters: { tiny: '173 M', base: '234 M', large: '0.3 B' }[size],
  licence: APACHE,
  trainedOn,
});

const llmdet = (size: 'tiny' | 'base' | 'large', parameters: string, commit?: string): KnownModel => ({
  repo: `iSEE-Laboratory/llmdet_${size}`,
  ...(commit !== undefined && { commit }),
  parameters,
  licence: APACHE,
  trainedOn: 'GroundingCap-1M, from an MM-Grounding-DINO',
});

const sam2 = (name: string, parameters: string, rest: Pick<KnownModel, 'commit' | 'bytes'> = {}): KnownModel => ({
  repo: `facebook/${name}`,
  ...rest,
  parameters,
  licence: APACHE,
  trainedOn: SAV,
});

const sam = (size: string, parameters: string, commit: string): KnownModel => ({
  repo: `facebook/sam-vit-${size}`,
  commit,
  parameters,
  licence: APACHE,
  trainedOn: SA1B,
});

/** One of the files of MedSAM2, each a SAM 2.1 tiny at 512 pixels without a config.json. */
const medsam2 = (file: string, trainedOn: string, bytes: number): KnownModel => ({
  repo: 'wanglab/MedSAM2',
  commit: 'e4a6f35edd7e091619cbc0750f462f1574e23955',
  file,
  bytes,
  parameters: '38.9 M',
  licence: 'CC BY-SA 4.0',
  trainedOn,
  restricted: 'research and education only',
});

/** Short names. docs/decisions/0005-downloads.md documents the source of each commit. */
export const knownModels: Readonly<Record<string, KnownModel>> = {
  'grounding-dino-tiny': {
    repo: 'IDEA-Research/grounding-dino-tiny',
    commit: 'a2bb814dd30d776dcf7e30523b00659f4f141c71',
    bytes: 689_359_096,
    parameters: '172 M',
    licence: APACHE,
    trainedOn: DINO_DATA,
  },
  'grounding-dino-base': {
    repo: 'IDEA-Research/grounding-dino-base',
    commit: '12bdfa3120f3e7ec7b434d90674b3396eccf88eb',
    bytes: 933_400_872,
    parameters: '233 M',
    licence: APACHE,
    trainedOn: `COCO, ${DINO_DATA}, OpenImages, ODinW-35, RefCOCO`,
  },
  'grounding-dino-us-lora': {
    repo: 'hmrasa/grounding.dino.sam.4.us.v1',
    parameters: 'an adapter of grounding-dino-tiny',
    licence: 'not stated',
    trainedOn: 'the training splits of the paper’s 15 seen datasets',
    expectedLayer: 'bbox_embed.0.layers.2',
  },
  'mm-grounding-dino-tiny-goldg': mm('tiny', 'o365v1_goldg', 'Objects365, GoldG'),
  'mm-grounding-dino-tiny-goldg-grit': mm('tiny', 'o365v1_goldg_grit', 'Objects365, GoldG, GRIT'),
  'mm-grounding-dino-tiny-goldg-v3det': mm('tiny', 'o365v1_goldg_v3det', 'Objects365, GoldG, V3Det'),
  'mm-grounding-dino-tiny-goldg-grit-v3det': mm('tiny', 'o365v1_goldg_grit_v3det', 'Objects365, GoldG, GRIT, V3Det'),
  'mm-grounding-dino-base-goldg-v3det': mm('base', 'o365v1_goldg_v3det', 'Objects365, GoldG, V3Det'),
  'mm-grounding-dino-base-all': mm('base', 'all', 'all datasets of its publication'),
  'mm-grounding-dino-large-oiv6-goldg': mm('large', 'o365v2_oiv6_goldg', 'Objects365 v2, OpenImages v6, GoldG'),
  'mm-grounding-dino-large-all': mm('large', 'all', 'all datasets of its publication'),
  'llmdet-tiny': llmdet('tiny', '173 M', 'd05199165a19320a9236396e20fca0a5e065189c'),
  'llmdet-base': llmdet('base', '234 M'),
  'llmdet-large': llmdet('large', '0.3 B', 'bec37f296f05b22f6c6b39bc05a6c611239f4e31'),
  'sam2-hiera-tiny': sam2('sam2-hiera-tiny', '38.9 M', { commit: '7c218beaf0bb87874785f32b582f640134fc1c09' }),
  'sam2-hiera-small': sam2('sam2-hiera-small', '46 M', { commit: 'e080ada8afd19df5e165abe71b006edc7f4c3d4e' }),
  'sam2-hiera-base-plus': sam2('sam2-hiera-base-plus', '80.8 M'),
  'sam2-hiera-large': sam2('sam2-hiera-large', '224.4 M', {
    commit: 'e6a8e8809b8f1bfa2238b6d080f3d05cc76bd251',
    bytes: 897_831_024,
  }),
  'sam2.1-hiera-tiny': sam2('sam2.1-hiera-tiny', '38.9 M', {
    commit: 'de431c4043854a71d8101e17995dfe596bf101a5',
    bytes: 155_908_064,
  }),
  'sam2.1-hiera-small': sam2('sam2.1-hiera-small', '46 M', {
    commit: 'ee5bba1d82bb8749febdf90f45e84b687142ba03',
    bytes: 184_305_280,
  }),
  'sam2.1-hiera-base-plus': sam2('sam2.1-hiera-base-plus', '80.8 M', {
    commit: 'b7320756a13354e7530a63935656d35b2f91a290',
    bytes: 323_476_296,
  }),
  'sam2.1-hiera-large': sam2('sam2.1-hiera-large', '224.4 M', {
    commit: '665f8e2ad61cf5f53d65644ff27c8ee525124610',
    bytes: 897_897_416,
  }),
  'medsam2-latest': medsam2('MedSAM2_latest.pt', 'CT, MRI, PET, ultrasound and endoscopy', 156_040_129),
  'medsam2-2411': medsam2('MedSAM2_2411.pt', 'CT, MRI, PET, ultrasound and endoscopy; the base of November 2024', 156_039_179),
  'medsam2-us-heart': medsam2('MedSAM2_US_Heart.pt', 'fine-tuned on echocardiography', 156_041_079),
  'medsam2-mri-liver-lesion': medsam2('MedSAM2_MRI_LiverLesion.pt', 'fine-tuned on liver lesions in MRI', 156_044_532),
  'medsam2-ct-lesion': medsam2('MedSAM2_CTLesion.pt', 'fine-tuned on lesions in CT', 156_041_079),
  'sam-vit-base': sam('base', '94 M', '70c1a07f894ebb5b307fd9eaaee97b9dfc16068f'),
  'sam-vit-large': sam('large', '312 M', '6851e0441005b0fb96f2cc4dfac472f3d1b14af1'),
  'sam-vit-huge': sam('huge', '641 M', '87aecf0df4ce6b30cd7de76e87673c49644bdf67'),
  'medsam-vit-base': {
    repo: 'wanglab/medsam-vit-base',
    commit: 'de8488bca37bb1d4fb190f612c516126d739ce3b',
    bytes: 375_045_749,
    parameters: '94 M',
    licence: APACHE,
    trainedOn: 'about 1.1 million medical images with masks',
  },
  biomedclip: {
    repo: 'microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224',
    parameters: '196 M',
    licence: 'MIT',
    trainedOn: 'PMC-15M, figures and captions of articles',
  },
  biomedparse: {
    repo: 'microsoft/BiomedParse',
    file: 'biomedparse_v1.pt',
    beside: ['target_dist.json'],
    parameters: '340 M',
    licence: 'CC BY-NC-SA 4.0',
    trainedOn: 'BiomedParseData, with BUSI, CAMUS and FH-PS-AOP',
    restricted: 'non-commercial only',
  },
  'clip-tokenizer': {
    repo: 'openai/clip-vit-base-patch32',
    commit: '3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268',
    file: 'merges.txt',
    bytes: 524_619,
    parameters: 'the tokenizer that biomedparse needs',
    licence: 'MIT',
    trainedOn: 'texts of image and text pairs from the web',
  },
};
