import { randomBytes } from 'node:crypto';

/** A form as the answer of a request: text as JSON, and a file. */
export function formAnswer(
  params: unknown,
  file: { readonly name: string; readonly bytes: Uint8Array },
): { readonly type: string; readonly bytes: Buffer } {
  const edge = randomBytes(16).toString('hex');
  const bytes = Buffer.concat([
    Buffer.from(
      `--${edge}\r\nContent-Disposition: form-data; name="params"\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(params)}\r\n`,
    ),
    Buffer.from(
      `--${edge}\r\nContent-Disposition: form-data; name="image"; filename="${file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    file.bytes,
    Buffer.from(`\r\n--${edge}--\r\n`),
  ]);
  return { type: `multipart/form-data; boundary=${edge}`, bytes };
}
