export { type Identity, keptIdentity, replacedIdentity } from './identity.js';
