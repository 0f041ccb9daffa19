import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { HttpError } from './http-error.js';

/** A file uploaded with a form. */
export interface Upload {
  /** The field that it came in. */
  readonly field: string;
  readonly bytes: Buffer;
  readonly name: string;
}

/** Plain text fields; all others are JSON: numbers, lists, booleans. */
const TEXT = ['prompt', 'select', 'label', 'mask_format', 'image_id', 'clip_id', 'file_name', 'frame', 'client_id'];

/** Fields that may be repeated. */
const REPEATED = ['prompt'];

/**
 * Reads a form into the record of an equivalent JSON request, and its uploaded file. The file stays in memory.
 *
 * @throws HttpError for parts without a name, files in other fields than those of the route (default: `image`), unreadable fields,
 *   and duplicate fields.
 */
export async function readForm(
  request: FastifyRequest,
): Promise<{ fields: Record<string, unknown>; upload: Upload | undefined }> {
  const fields = new Map<string, unknown>();
  let upload: Upload | undefined;
  const files = request.routeOptions.config.files ?? ['image'];
  for await (const part of partsOf(request)) {
    // The type promises a name, but the parser may not provide one.
    const name = part.fieldname as string | undefined;
    if (name === undefined || name === '') throw bad('form', 'a part has no name', 'Write name="image" into its disposition');
    if (part.type === 'file') {
      const fix = `Send one file, in the field ${files.join(' or ')}`;
      if (!files.includes(name)) throw bad('form', `the file is not called ${files.join(' or ')}`, fix);
      if (upload !== undefined) throw bad('form', 'there is more than one file', fix);
      upload = { field: name, bytes: await readable(part.toBuffer()), name: part.filename ?? '' };
    } else {
      if (files.includes(name)) throw bad(name, 'it came as text', 'Send it as a file: its part needs a filename');
      if (part.valueTruncated || part.fieldnameTruncated) throw bad(name, 'it is too long');
      addField(fields, name, part.value);
    }
  }
  return { fields: Object.fromEntries(fields), upload };
}

function bad(where: string, what: string, fix?: string): HttpError {
  const code = where === 'form' ? 'E_HTTP_REQUEST' : 'E_HTTP_FIELD';
  return new HttpError({ code, status: 400, where, what, ...(fix === undefined ? {} : { fix }) });
}

async function* partsOf(request: FastifyRequest): AsyncGenerator<Multipart> {
  const parts = (request.parts() as AsyncIterable<Multipart>)[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await readable(parts.next());
    if (done === true) return;
    yield value;
  }
}

/** The parser's errors for truncated forms have no status. */
async function readable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    if (typeof (cause as { statusCode?: unknown }).statusCode === 'number') throw cause;
    throw new HttpError({
      code: 'E_HTTP_REQUEST',
      status: 400,
      where: 'form',
      what: 'it is cut off or not a form',
      fix: 'Send it again',
      cause,
    });
  }
}

function addField(fields: Map<string, unknown>, name: string, value: unknown): void {
  if (!fields.has(name)) fields.set(name, fieldValue(name, value));
  else if (REPEATED.includes(name)) fields.set(name, [fields.get(name), value].flat());
  else throw bad(name, 'this field is given twice');
}

/** Parts with content type JSON are already parsed. */
function fieldValue(name: string, value: unknown): unknown {
  if (TEXT.includes(name) || typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new HttpError({
      code: 'E_HTTP_FIELD',
      status: 400,
      where: name,
      what: 'it is not JSON',
      fix: 'Write 0.3, true, or [[10, 20]]',
      cause,
    });
  }
}
