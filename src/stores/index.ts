/** Reading images from S3-compatible stores. */

export { S3Store, type StoredObject } from './s3-store.js';
export { isStoreAddress, parseStoreAddress } from './store-address.js';
