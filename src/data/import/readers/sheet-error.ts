/** A readable reason for refusing a workbook. */
export class SheetError extends Error {}
