/** A file of an image that viewers name by an id. */
export interface ViewerFile {
  readonly bytes: Uint8Array;
  /** Its extension tells old DICOM files. */
  readonly name: string;
}

/** Images that viewers ask for by id: files of a folder, series of an archive. They are read, never changed. */
export interface ViewerImages {
  /** The ids of all images that can be listed. */
  list(): Promise<readonly string[]>;
  /**
   * @returns the files of an image, several for a series of single frames; undefined if there is none of this id.
   * @throws SonogroundError when it cannot be read.
   */
  read(id: string): Promise<readonly ViewerFile[] | undefined>;
}
