import { type Code, codeSequence, type DicomElements, decimalString, one, sequence } from '../../dicom/index.js';

/** How a content item relates to the one above it (PS3.3, C.17.3.2.4). */
type Relationship = 'CONTAINS' | 'HAS CONCEPT MOD' | 'HAS OBS CONTEXT' | 'HAS PROPERTIES';

/** A content item of a structured report. */
export type ContentItem = DicomElements;

function item(
  relationship: Relationship,
  type: string,
  concept: Code,
  value: DicomElements,
  children: readonly ContentItem[] = [],
): ContentItem {
  return {
    '0040A010': one('CS', relationship),
    '0040A040': one('CS', type),
    '0040A043': codeSequence(concept),
    ...value,
    ...(children.length === 0 ? {} : { '0040A730': sequence(...children) }),
  };
}

export function container(concept: Code, children: readonly ContentItem[], template?: string): ContentItem {
  return item('CONTAINS', 'CONTAINER', concept, containerValue(template), children);
}

/** Continuity of a container, and the template that its content follows. */
export function containerValue(template: string | undefined): DicomElements {
  return {
    '0040A050': one('CS', 'SEPARATE'),
    ...(template === undefined
      ? {}
      : { '0040A504': sequence({ '00080105': one('CS', 'DCMR'), '0040DB00': one('CS', template) }) }),
  };
}

export function code(relationship: Relationship, concept: Code, value: Code, children: readonly ContentItem[] = []): ContentItem {
  return item(relationship, 'CODE', concept, { '0040A168': codeSequence(value) }, children);
}

export function text(relationship: Relationship, concept: Code, value: string): ContentItem {
  return item(relationship, 'TEXT', concept, { '0040A160': one('UT', value) });
}

export function uidReference(relationship: Relationship, concept: Code, uid: string): ContentItem {
  return item(relationship, 'UIDREF', concept, { '0040A124': one('UI', uid) });
}

/** A number with its unit in UCUM. */
export function measurement(concept: Code, value: number, unit: Code, children: readonly ContentItem[] = []): ContentItem {
  const measured = { '004008EA': codeSequence(unit), '0040A30A': one('DS', decimalString(value)) };
  return item('CONTAINS', 'NUM', concept, { '0040A300': sequence(measured) }, children);
}

/** A reference to an image, or to one of its frames. */
export function image(
  relationship: Relationship,
  concept: Code,
  {
    sopClass,
    sopInstance,
    frame,
  }: {
    readonly sopClass: string;
    readonly sopInstance: string;
    /** From 1. */
    readonly frame?: number | undefined;
  },
): ContentItem {
  return item(relationship, 'IMAGE', concept, {
    '00081199': sequence({
      '00081150': one('UI', sopClass),
      '00081155': one('UI', sopInstance),
      ...(frame === undefined ? {} : { '00081160': one('IS', String(frame)) }),
    }),
  });
}
