export { loadConfig } from './load-config.js';
export { ConfigDocument } from './parse-yaml.js';
export { validate } from './validate.js';
