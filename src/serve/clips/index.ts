export { addClipRoutes } from './clip-routes.js';
