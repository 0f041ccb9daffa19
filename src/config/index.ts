export { inputModel, inputPath } from './input-paths.js';
export { loadConfig } from './load-config.js';
export { isShipped, locateShipped, packageFile } from './package-files.js';
export { ConfigDocument } from './parse-yaml.js';
export { validate } from './validate.js';
