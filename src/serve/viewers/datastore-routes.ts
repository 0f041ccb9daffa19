import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { fieldError } from '../field-error.js';
import { HttpError } from '../http-error.js';
import type { Upload } from '../read-form.js';
import type { Api } from '../typed-api.js';
import type { KeptUploads } from './kept-uploads.js';
import type { ViewerFile, ViewerImages } from './viewer-images.js';
import { datastoreQuery, imageQuery, sessionParams, strategyParams, uploadQuery } from './viewer-schemas.js';

interface DatastoreParts {
  readonly uploads: KeptUploads;
  readonly images: ViewerImages | undefined;
}

/** What a viewer shows of the datastore: labels are never saved here. */
type Status = { readonly total: number; readonly completed: 0; readonly label_tags: Record<string, never> };

/**
 * Registers the datastore of viewers: its images can be listed and fetched. What a viewer sends stays in memory, and changes no
 * file; everything else that would change the datastore is refused as an unknown method.
 *
 * @returns counts its images.
 */
export function addDatastoreRoutes(api: Api, { uploads, images }: DatastoreParts): () => Promise<Status> {
  const all = async () => [...new Set([...((await images?.list()) ?? []), ...uploads.ids])];
  const status = async (): Promise<Status> => ({ total: (await all()).length, completed: 0, label_tags: {} });
  const find = async (id: string): Promise<ViewerFile> => {
    const kept = uploads.get(id);
    const [file, another] = kept === undefined ? ((await images?.read(id)) ?? []) : [kept];
    // A series of several files has no single one to give.
    if (file === undefined || another !== undefined) throw gone();
    return file;
  };

  for (const url of ['/datastore', '/datastore/'])
    api.get(
      url,
      {
        schema: {
          summary: 'For viewers: lists the images, or counts them',
          querystring: datastoreQuery,
          hide: url.endsWith('/'),
        },
      },
      async (request) => {
        const { output } = request.query;
        if (output === 'stats') return status();
        // Pairs to train with: there are no labels.
        if (output === 'train') return [];
        const objects = (await all()).map((id) => [id, { image: { ext: '', info: { name: basename(id) } }, labels: {} }]);
        return { name: 'sonoground', description: '', objects: Object.fromEntries(objects) };
      },
    );

  api.get(
    '/datastore/image',
    { schema: { summary: 'For viewers: the file of an image', querystring: imageQuery } },
    async (request, reply) => {
      const { bytes, name } = await find(request.query.image);
      const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(basename(name))}`;
      return reply.type('application/octet-stream').header('content-disposition', disposition).send(Buffer.from(bytes));
    },
  );

  api.get('/datastore/image/info', { schema: { hide: true, querystring: imageQuery } }, async (request) => {
    const { bytes, name } = await find(request.query.image);
    return { name: basename(name), checksum: `SHA256:${createHash('sha256').update(bytes).digest('hex')}` };
  });

  for (const url of ['/datastore/', '/datastore/image'])
    api.put(url, { config: { files: ['file'] }, schema: { hide: true, querystring: uploadQuery } }, async ({ query, upload }) => {
      const file = required(upload);
      return { image: uploads.add(file, query.image || basename(file.name) || undefined) };
    });

  api.put('/datastore/label', { config: { files: ['label'] }, schema: { hide: true } }, async () => {
    throw new HttpError({
      code: 'E_HTTP_FORBIDDEN',
      status: 403,
      where: 'label',
      what: 'the datastore is read only',
      fix: 'Save the labels in the viewer',
    });
  });

  api.put('/session/', { config: { files: ['files'] }, schema: { hide: true } }, async ({ upload }) => {
    const session_id = uploads.add(required(upload));
    return { session_id, session_info: {} };
  });
  api.get('/session/:session', { schema: { hide: true, params: sessionParams } }, async ({ params: { session } }) => {
    if (uploads.get(session) === undefined) throw gone();
    return { name: session };
  });
  api.delete('/session/:session', { schema: { hide: true, params: sessionParams } }, async ({ params: { session } }) => {
    uploads.delete(session);
    return {};
  });

  let turn = 0;
  api.post('/activelearning/:strategy', { schema: { hide: true, params: strategyParams } }, async () => {
    const listed = (await images?.list()) ?? [];
    const id = listed[turn % Math.max(1, listed.length)];
    turn += 1;
    return id === undefined ? {} : { id, name: basename(id) };
  });
  return status;
}

function required(upload: Upload | undefined): Upload {
  if (upload !== undefined && upload.bytes.length > 0) return upload;
  throw fieldError('file', 'there is no file, or it is empty');
}

function gone(): HttpError {
  return new HttpError({
    code: 'E_HTTP_IMAGE_GONE',
    status: 404,
    where: 'image',
    what: 'there is no such image, or no longer',
    fix: 'Send the image again',
  });
}
