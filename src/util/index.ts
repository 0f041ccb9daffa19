/** Errors, files, paths, locks and random numbers, for every layer. */

export { modelPath, readModelFile, readModelText } from '#platform/util/files';
export { assertShape, sizeOf } from './assert-shape.js';
export { counted } from './counted.js';
export { csvText, parseCsv } from './csv.js';
export * from './errors/index.js';
export {
  ConnectionLost,
  isLoopbackHost,
  type RetryPace,
  retryAfterMs,
  SilenceWatch,
  TryAgain,
  withRetries,
} from './http/index.js';
export { linearCapture, linearPattern } from './linear-pattern.js';
export { linesOf } from './lines-of.js';
export { FolderLock, withFolderLock } from './lock/index.js';
export { type Logger, silentLogger } from './logger.js';
export { nearest } from './nearest.js';
export { compilePattern, matchesPattern } from './path-pattern.js';
export { escapeHtml, printable } from './printable.js';
export { type Chunk, messageBytes, ProtoWriter, writeMessage } from './protobuf.js';
export { renameKeys } from './rename-keys.js';
export { Rng, type RngState } from './rng.js';
export { isInside, safePath } from './safe-path.js';
export { safeRelative, unsafeName } from './safe-relative.js';
export { shown, shownName, shownShape } from './shown.js';
export { isLeftover, temporaryPath } from './temporary-name.js';
export { unreadableCode } from './unreadable-code.js';
export { withDefault } from './with-default.js';
export { concernsOneFile, mountOf, readableFileError, writeFileAtomic } from './write-file-atomic.js';
