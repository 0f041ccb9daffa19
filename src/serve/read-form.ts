import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { HttpError } from './http-error.js';

/** A file that came with a form. */
export interface Upload {
  readonly bytes: Buffer;
  readonly name: string;
}

/** Fields that are text as they stand; all others are JSON: numbers, lists, true. */
const TEXT = ['prompt', 'select', 'mask_format', 'image_id', 'file_name', 'picture'];

/** Fields that may come several times. */
const REPEATED = ['prompt'];

/**
 * Reads a form into the same record that JSON requests have, and the file that came with it. The file stays in memory.
 *
 * @throws HttpError for other files than one called `image`, fields that cannot be read, and fields given twice.
 */
export async function readForm(
  request: FastifyRequest,
): Promise<{ fields: Record<string, unknown>; upload: Upload | undefined }> {
  const fields = new Map<string, unknown>();
  let upload: Upload | undefined;
  for await (const part of partsOf(request)) {
    if (part.type === 'file') {
      if (part.fieldname !== 'image' || upload !== undefined) {
        const what = upload === undefined ? 'the file is not called image' : 'there is more than one file';
        throw new HttpError({ status: 400, where: 'form', what, fix: 'Send one file, in the field image' });
      }
      upload = { bytes: await part.toBuffer(), name: part.filename ?? '' };
    } else addField(fields, part.fieldname, String(part.value));
  }
  return { fields: Object.fromEntries(fields), upload };
}

/** The parser's own errors have no status when a form ends too early. */
async function* partsOf(request: FastifyRequest): AsyncGenerator<Multipart> {
  try {
    yield* request.parts() as AsyncIterable<Multipart>;
  } catch (cause) {
    if (typeof (cause as { statusCode?: unknown }).statusCode === 'number') throw cause;
    throw new HttpError({ status: 400, where: 'form', what: 'it is cut off or not a form', fix: 'Send it again', cause });
  }
}

function addField(fields: Map<string, unknown>, name: string, text: string): void {
  if (!fields.has(name)) fields.set(name, fieldValue(name, text));
  else if (REPEATED.includes(name)) fields.set(name, [fields.get(name), text].flat());
  else throw new HttpError({ status: 400, where: name, what: 'this field is given twice' });
}

function fieldValue(name: string, text: string): unknown {
  if (TEXT.includes(name)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpError({ status: 400, where: name, what: 'it is not JSON', fix: 'Write 0.3, true, or [[10, 20]]', cause });
  }
}
