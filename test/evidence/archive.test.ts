import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { archiveSettings, DicomWebClient, parseArchiveAddress } from '../../src/dicomweb/index.js';
import { encodeBoth, SOURCES, sourceFile } from '../support/evidence.js';
import { Orthanc, orthancMissing } from '../support/orthanc.js';
import { describeUnless } from '../support/skipped.js';

describeUnless(orthancMissing, 'Orthanc takes a segmentation and a report by STOW-RS and gives them back by WADO-RS', () => {
  let orthanc: Orthanc;
  beforeAll(async () => {
    orthanc = await Orthanc.start();
  });
  afterAll(() => orthanc?.stop());

  for (const [kind, parts] of Object.entries(SOURCES))
    it.each(['binary', 'labelmap'] as const)(`of ${kind} beside it, byte by byte (%s)`, async (form) => {
      const client = new DicomWebClient({ settings: archiveSettings(parseArchiveAddress(orthanc.address), orthanc.env) });
      for (const modality of ['US', 'SEG', 'SR']) await orthanc.remove(modality);
      const file = sourceFile(parts);
      await orthanc.put(file);
      const { segmentation, report, options } = await encodeBoth(file, form);
      const { study } = options.source;
      const objects = [
        { ...segmentation, label: 'SEG' },
        { ...report, label: 'SR' },
      ] as const;
      const sent = objects.map(({ sopInstance: uid, label, bytes }) => ({ uid, label, bytes }));
      await client.store(study, sent);
      expect(await client.lacking(study, sent)).toEqual([]);
      for (const { sopInstance: uid, series, label, bytes } of objects) {
        const common = { study, series, uid, sopClass: undefined, number: 0, frames: 1 };
        expect(Buffer.compare(await client.read({ ...common, modality: label }), bytes)).toBe(0);
      }
      // One study, with the image that it refers to.
      expect(await orthanc.counts()).toEqual({ studies: 1, patients: 1 });
      const [image] = (await orthanc.filesOf('US')).values();
      expect(Buffer.compare(image as Buffer, file)).toBe(0);
    });
});
