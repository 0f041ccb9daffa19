/** A model with a short name. */
export interface KnownModel {
  readonly repo: string;
  /** The pinned commit; default: the current head of `main`. */
  readonly commit?: string;
  /** Size of the weights in bytes, if known. */
  readonly bytes?: number;
}

/** Short names. docs/decisions/0005-downloads.md documents the source of each commit. */
export const knownModels: Readonly<Record<string, KnownModel>> = {
  'grounding-dino-tiny': {
    repo: 'IDEA-Research/grounding-dino-tiny',
    commit: 'a2bb814dd30d776dcf7e30523b00659f4f141c71',
    bytes: 689_359_096,
  },
  'grounding-dino-base': {
    repo: 'IDEA-Research/grounding-dino-base',
    commit: '12bdfa3120f3e7ec7b434d90674b3396eccf88eb',
    bytes: 933_400_872,
  },
  'mm-grounding-dino-tiny-goldg': { repo: 'openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg' },
  'mm-grounding-dino-tiny-goldg-grit': { repo: 'openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_grit' },
  'mm-grounding-dino-tiny-goldg-v3det': { repo: 'openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det' },
  'mm-grounding-dino-tiny-goldg-grit-v3det': { repo: 'openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_grit_v3det' },
  'sam2-hiera-tiny': { repo: 'facebook/sam2-hiera-tiny', commit: '7c218beaf0bb87874785f32b582f640134fc1c09' },
  'sam2-hiera-small': { repo: 'facebook/sam2-hiera-small', commit: 'e080ada8afd19df5e165abe71b006edc7f4c3d4e' },
  'sam2-hiera-base-plus': { repo: 'facebook/sam2-hiera-base-plus' },
  'sam2-hiera-large': {
    repo: 'facebook/sam2-hiera-large',
    commit: 'e6a8e8809b8f1bfa2238b6d080f3d05cc76bd251',
    bytes: 897_831_024,
  },
  'sam2.1-hiera-tiny': {
    repo: 'facebook/sam2.1-hiera-tiny',
    commit: 'de431c4043854a71d8101e17995dfe596bf101a5',
    bytes: 155_908_064,
  },
  'sam2.1-hiera-small': {
    repo: 'facebook/sam2.1-hiera-small',
    commit: 'ee5bba1d82bb8749febdf90f45e84b687142ba03',
    bytes: 184_305_280,
  },
  'sam2.1-hiera-base-plus': {
    repo: 'facebook/sam2.1-hiera-base-plus',
    commit: 'b7320756a13354e7530a63935656d35b2f91a290',
    bytes: 323_476_296,
  },
  'sam2.1-hiera-large': {
    repo: 'facebook/sam2.1-hiera-large',
    commit: '665f8e2ad61cf5f53d65644ff27c8ee525124610',
    bytes: 897_897_416,
  },
  'sam-vit-base': { repo: 'facebook/sam-vit-base', commit: '70c1a07f894ebb5b307fd9eaaee97b9dfc16068f' },
  'sam-vit-large': { repo: 'facebook/sam-vit-large', commit: '6851e0441005b0fb96f2cc4dfac472f3d1b14af1' },
  'sam-vit-huge': { repo: 'facebook/sam-vit-huge', commit: '87aecf0df4ce6b30cd7de76e87673c49644bdf67' },
  'medsam-vit-base': {
    repo: 'wanglab/medsam-vit-base',
    commit: 'de8488bca37bb1d4fb190f612c516126d739ce3b',
    bytes: 375_045_749,
  },
};
