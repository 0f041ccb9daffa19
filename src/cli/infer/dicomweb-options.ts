/** The options of `infer` for images of an archive. */
export interface DicomWebOptions {
  dicomweb: string | undefined;
  study: string | undefined;
  series: string | undefined;
}

/** The same as yargs describes them. */
export const dicomwebOptions = {
  dicomweb: {
    type: 'string',
    describe:
      'address of a DICOMweb archive: fetches the ultrasound images of --study and stores segmentations and reports with them; credentials by the environment',
  },
  study: { type: 'string', describe: 'with --dicomweb: Study Instance UID' },
  series: { type: 'string', describe: 'with --dicomweb: only this series, by its Series Instance UID' },
} as const;
