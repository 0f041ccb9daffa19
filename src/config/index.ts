/** YAML configurations: parsing, expressions, validation, and the files that ship with the package. */

export { formerly, presentPath } from './former-names.js';
export { inputModel, inputPath } from './input-paths.js';
export { loadConfig } from './load-config.js';
export { exists, locateShipped, packageFile } from './package-files.js';
export { ConfigDocument } from './parse-yaml.js';
export { validate } from './validate.js';
