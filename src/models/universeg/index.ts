export { type BlockWidths, parseUniverSegConfig, type UniverSegConfig, universegToJson } from './config.js';
export { universegAuthorsKeys, universegConfigFromShapes } from './config-from-shapes.js';
export { UniverSeg, type UniverSegSupport } from './universeg.js';
