import { readFile } from 'node:fs/promises';
import { packageFile } from '../config/index.js';

/** The Basic Application Level Confidentiality Profile: DICOM PS3.15, table E.1-1. */
export interface ConfidentialityProfile {
  readonly edition: string;
  /** The profile's action for an attribute, such as `X` or `Z/D`; undefined if it does not protect it. */
  action(tag: string): string | undefined;
}

interface ProfileFile {
  readonly edition: string;
  readonly actions: Readonly<Record<string, string>>;
}

/** Reads the table that comes with the package. */
export async function readProfile(): Promise<ConfidentialityProfile> {
  const text = await readFile(packageFile('assets/dicom/confidentiality-profile.json'), 'utf8');
  const { edition, actions } = JSON.parse(text) as ProfileFile;
  return {
    edition,
    action(tag) {
      const key = tag.toLowerCase();
      if (isPrivate(key)) return 'X';
      if (key.startsWith('50')) return actions['50xxxxxx'];
      if (/^60..(3000|4000)$/.test(key)) return actions[`60xx${key.slice(4)}`];
      return Object.hasOwn(actions, key) ? actions[key] : undefined;
    },
  };
}

/** Whether a tag belongs to a private group: those with odd numbers. */
export function isPrivate(tag: string): boolean {
  return Number.parseInt(tag.slice(0, 4), 16) % 2 === 1;
}
