export { csvText } from '../../util/index.js';
