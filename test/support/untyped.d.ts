declare module '*/scripts/error-docs.mjs' {
  export function errorsPage(codes: object): string;
}
