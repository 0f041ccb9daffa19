/** What the benches share of the built project: it is imported only after the bootstrap has built it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from '../../scripts/bootstrap.mjs';
import { build } from '../../scripts/lib/build.mjs';
import { root } from '../../scripts/lib/places.mjs';
import { quietTensorflow } from '../../scripts/lib/quiet.mjs';

/** Sets the project up, builds it and keeps TensorFlow quiet. */
export async function prepare() {
  await bootstrap();
  await build();
  quietTensorflow();
}

/** A module of dist/. */
export const dist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
