export { FolderLock, withFolderLock } from './folder-lock.js';
export { Heartbeat } from './heartbeat.js';
export { ownIdentity, type ProcessIdentity, stateOf } from './process-identity.js';
