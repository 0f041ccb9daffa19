/** Bytes within which a file says what it is. */
const HEAD = 1024;

/** DICOM segmentations, binary and label maps, by their SOP class. */
const CLASSES = ['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7'];

/** Whether a file is a DICOM segmentation. */
export async function isSegmentation(file: File): Promise<boolean> {
  const head = new TextDecoder('latin1').decode(await file.slice(0, HEAD).arrayBuffer());
  return (
    head.slice(128, 132) === 'DICM' && CLASSES.some((uid) => new RegExp(`${uid.replaceAll('.', '\\.')}(?![.\\d])`).test(head))
  );
}
