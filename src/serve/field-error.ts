import { HttpError } from './http-error.js';

/** The error for a field of a request, or a combination of fields, that cannot be used. */
export function fieldError(where: string, what: string, fix?: string): HttpError {
  return new HttpError({ code: 'E_HTTP_FIELD', status: 400, where, what, ...(fix === undefined ? {} : { fix }) });
}
