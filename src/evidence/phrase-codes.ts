/** A coded concept. */
export interface Code {
  readonly value: string;
  /** `SCT`, `DCM`, or private: `99…`. */
  readonly scheme: string;
  readonly meaning: string;
}

/** What a phrase means in codes. */
export interface PhraseMeaning {
  /** As in Segmented Property Category: morphologically abnormal structure, anatomical structure, … */
  readonly category: Code;
  /** The finding, as in Segmented Property Type. */
  readonly type: Code;
  /** Where it is. */
  readonly region?: Code | undefined;
  /** Whether the table has the phrase; otherwise `type` is a private code with the phrase as its meaning. */
  readonly known: boolean;
}

/** Codes of phrases: the shipped table, and those of the user before it. */
export interface PhraseCodes {
  meaningOf(phrase: string): PhraseMeaning;
}

/**
 * Reads the shipped table and others in YAML.
 *
 * @throws DataError naming file and line for a table that is none.
 */
export declare function readPhraseCodes(...files: readonly string[]): Promise<PhraseCodes>;
