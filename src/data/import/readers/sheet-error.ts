/** Why a workbook is not read, in words for a person. */
export class SheetError extends Error {}
