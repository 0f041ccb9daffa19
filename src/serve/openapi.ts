import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform } from '@fastify/type-provider-zod';

/** Options for generating the OpenAPI document from the routes and their schemas. */
export function openApiOptions(version: string, secured: boolean): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'sonoground',
        version,
        description: 'Text-prompted segmentation of ultrasound images. For research, not a medical device.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      ...(secured && {
        components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
        security: [{ token: [] }],
      }),
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => {
      const made = 'openapiObject' in document ? document.openapiObject : {};
      for (const path of Object.values(made.paths ?? {})) describeFile(path);
      return made;
    },
  };
}

/** Fields that are files in a multipart form. */
const FILES = ['image', 'segmentation'];

/** In a multipart form, files are files instead of base64 text. */
function describeFile(path: unknown): void {
  const content = (path as { post?: { requestBody?: { content?: Record<string, { schema: object }> } } }).post?.requestBody
    ?.content;
  const form = content?.['multipart/form-data'];
  if (content === undefined || form === undefined) return;
  const schema = structuredClone(form.schema) as { properties?: Record<string, object> };
  for (const name of FILES)
    if (schema.properties?.[name] !== undefined)
      schema.properties[name] = { type: 'string', contentMediaType: 'application/octet-stream', description: 'the file' };
  // Both content types still share one schema object.
  content['multipart/form-data'] = { ...form, schema };
}
