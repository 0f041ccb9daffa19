/** What viewers with a MONAI Label client ask for: 3D Slicer and OHIF. */

export type { ViewerFile, ViewerImages } from './viewer-images.js';
export { addViewerRoutes, type ViewerOptions } from './viewer-routes.js';
