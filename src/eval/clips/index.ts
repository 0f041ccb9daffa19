export {
  type ClipMethod,
  type ClipProtocol,
  type ClipScore,
  type ClipSummary,
  clipProtocols,
  scoreClip,
  summariseClips,
} from './clip-protocols.js';
export { clipTable } from './clip-table.js';
export { type LabelledClip, phantomClips, sequencesOf } from './labelled-clip.js';
