/** The part of the API for single images. */

export { addImageRoutes } from './image-routes.js';
