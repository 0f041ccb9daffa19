import { nearest, UsageError } from '../../util/index.js';
import { HubError } from './hub-error.js';
import { knownFiles } from './known-files.js';
import { knownModels } from './known-models.js';

/** Whether a relative path stays below the folder that it is joined to, on every operating system. */
function isSafePath(path: string): boolean {
  // A colon makes a drive or an alternate stream on Windows; a backslash is a separator there.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (path === '' || /[\\:\u0000-\u001f\u007f]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/**
 * Rejects a listing that names a file outside its folder.
 *
 * @throws HubError with the first such name.
 */
export function requireSafeNames(repo: string, names: readonly string[]): void {
  const bad = names.find((name) => !isSafePath(name));
  if (bad !== undefined)
    throw new HubError({
      code: 'E_PATH_OUTSIDE',
      where: repo,
      what: `expected names of files below the model's folder, the listing has ${JSON.stringify(bad)}`,
      fix: 'Nothing was written. Do not use this repository or this HF_ENDPOINT',
    });
}

/** A repository and revision on the hub. */
export interface ModelName {
  /** As written by the user. */
  readonly label: string;
  /** `owner/repo`. */
  readonly repo: string;
  /** A commit of 40 hexadecimal digits, a branch or a tag. */
  readonly revision: string;
  /** The only file of the model, in a repository that holds several. */
  readonly file?: string;
  /** Files that are downloaded with that one. */
  readonly beside?: readonly string[];
}

const DEFAULT_REVISION = 'main';
const REPO_PART = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9._/-]*$/;

/** Whether a revision is a commit hash, and hence immutable. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/**
 * Parses `SHORT-NAME` or `owner/repo`, each with an optional `@revision`.
 *
 * @throws UsageError when it is neither, or contains characters not allowed in a path or URL.
 */
export function parseModelName(label: string): ModelName {
  const at = label.indexOf('@');
  const name = at < 0 ? label : label.slice(0, at);
  const known = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  if (known === undefined && !name.includes('/')) throw unknownName(label, name);
  const repo = known?.repo ?? name;
  const revision = at < 0 ? (known?.commit ?? DEFAULT_REVISION) : label.slice(at + 1);
  if (!isRepo(repo))
    throw new UsageError({
      code: 'E_MODEL_NAME',
      where: label,
      what: `expected owner/repo, got ${JSON.stringify(repo)}`,
      fix: 'Copy it from the model’s page',
    });
  if (!REVISION.test(revision) || !isSafePath(revision))
    throw new UsageError({
      code: 'E_MODEL_NAME',
      where: label,
      what: `expected a commit, branch or tag after @, got ${JSON.stringify(revision)}`,
      fix: 'Leave it out for the default',
    });
  const { file, beside } = known ?? {};
  return { label, repo, revision, ...(file !== undefined && { file }), ...(beside !== undefined && { beside }) };
}

/** The hub's own rules: two components, no `--` (the cache uses it for the slash) and no `..`. */
function isRepo(repo: string): boolean {
  const parts = repo.split('/');
  const clean = repo.length <= 96 && !repo.includes('--') && !repo.includes('..') && !repo.endsWith('.git');
  return clean && parts.length === 2 && parts.every((part) => REPO_PART.test(part));
}

function unknownName(label: string, name: string): UsageError {
  const near = nearest(name, [...Object.keys(knownModels), ...Object.keys(knownFiles)]);
  return new UsageError({
    code: 'E_MODEL_NAME',
    where: label === '' ? 'model' : label,
    what: `it is no known name${near === undefined ? '' : `, did you mean ${near}?`}`,
    fix: 'Give owner/repo, or the name of a known model',
  });
}
