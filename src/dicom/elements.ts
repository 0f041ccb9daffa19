/** A data element as in the DICOM JSON model. Items of a sequence are elements again. */
export interface DicomElement {
  readonly vr: string;
  readonly Value: readonly (string | number | DicomElements)[];
}

/** Elements by tag in eight hexadecimal capitals: `00080018`. */
export type DicomElements = { readonly [tag: string]: DicomElement };

/** Formats a number for the value representation DS, which has 16 characters at most. */
export function decimalString(value: number): string {
  const plain = String(value);
  if (plain.length <= 16) return plain;
  for (let digits = 15; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  return value.toExponential(8);
}
