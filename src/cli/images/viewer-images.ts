import { join } from 'node:path';
import { archiveSettings, DicomWebClient, isUid, parseArchiveAddress } from '../../dicomweb/index.js';
import { isUnnamedDicom, readImageFile } from '../../imaging/index.js';
import type { ViewerFile, ViewerImages } from '../../serve/index.js';
import { type Logger, safeRelative, UsageError } from '../../util/index.js';
import { hasImageExtension } from './image-extensions.js';
import { walkFolder } from './walk-folder.js';

/** Where viewers find images by id. */
interface ViewerImageOptions {
  /** A folder: an id is the path of a file below it. */
  readonly images: string | undefined;
  /** An archive: an id is the UID of a series. */
  readonly dicomweb: string | undefined;
}

/**
 * Opens the images that viewers may name: files of a folder, series of an archive.
 *
 * @throws UsageError for a folder without images; ConfigError for credentials that cannot be used.
 */
export async function viewerImages({ images, dicomweb }: ViewerImageOptions, logger: Logger): Promise<ViewerImages | undefined> {
  const folder = images === undefined ? undefined : new FolderImages(images, logger);
  const archive = dicomweb === undefined ? undefined : new ArchiveImages(dicomweb, logger);
  if (folder !== undefined && (await folder.list()).length === 0)
    throw new UsageError({
      code: 'E_NO_IMAGES',
      where: images ?? '',
      what: 'there is no image here',
      fix: 'Name a folder with images',
    });
  const sources = [folder, archive].filter((source) => source !== undefined);
  if (sources.length === 0) return undefined;
  return {
    list: async () => (await Promise.all(sources.map((source) => source.list()))).flat(),
    async read(id) {
      for (const source of sources) {
        const files = await source.read(id);
        if (files !== undefined) return files;
      }
      return undefined;
    },
  };
}

class FolderImages implements ViewerImages {
  /** What the last listing found. */
  private known: ReadonlySet<string> = new Set();

  constructor(
    private readonly folder: string,
    private readonly logger: Logger,
  ) {}

  async list(): Promise<readonly string[]> {
    const files = await walkFolder(this.folder, (message) => this.logger.warn(message));
    const images: string[] = [];
    for (const file of files)
      if (hasImageExtension(file) || (await isUnnamedDicom(join(this.folder, file)).catch(() => false))) images.push(file);
    this.known = new Set(images);
    return images;
  }

  async read(id: string): Promise<readonly ViewerFile[] | undefined> {
    // Only what the folder lists, now or before: no path leads out of it.
    if (!this.known.has(id) && !(await this.list()).includes(id)) return undefined;
    return [{ bytes: await readImageFile(join(this.folder, safeRelative(id, 'an image id'))), name: id }];
  }
}

class ArchiveImages implements ViewerImages {
  private readonly client: DicomWebClient;

  constructor(address: string, logger: Logger) {
    this.client = new DicomWebClient({ settings: archiveSettings(parseArchiveAddress(address)), logger });
  }

  /** An archive is asked by series alone. */
  async list(): Promise<readonly string[]> {
    return [];
  }

  async read(id: string): Promise<readonly ViewerFile[] | undefined> {
    if (!isUid(id)) return undefined;
    const instances = await this.client.series(id);
    const files: ViewerFile[] = [];
    for (const instance of instances) files.push({ bytes: await this.client.read(instance), name: `${instance.uid}.dcm` });
    return files;
  }
}
