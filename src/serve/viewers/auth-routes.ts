import { z } from 'zod';
import { checkToken } from '../access.js';
import type { Api } from '../typed-api.js';

/** A login form of at most so many bytes. */
const MOST_FORM = 4096;

/**
 * Registers the login of MONAI Label's clients: the password is the token, the user is anybody. Only the answer whether a login is
 * needed and the login itself are public.
 */
export function addAuthRoutes(api: Api, token: string | undefined): void {
  api.get('/auth/', { config: { open: true }, schema: { hide: true } }, async () => ({ enabled: token !== undefined }));

  api.get('/auth/token/valid', { schema: { hide: true } }, async () => ({ username: 'viewer' }));

  // The parser of this kind of form is known to this route alone.
  api.register(async (scope: Api) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MOST_FORM },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    scope.post(
      '/auth/token',
      {
        config: { open: true },
        schema: { hide: true, body: z.object({ username: z.string().optional(), password: z.string() }) },
      },
      async (request) => {
        if (token === undefined) return { access_token: null, token_type: null };
        checkToken(token, `Bearer ${request.body.password}`);
        return { access_token: token, token_type: 'Bearer' };
      },
    );
  });
}
