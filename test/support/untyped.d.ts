/** Packages that bring no types, as far as tests use them. */
declare module 'dcmjs' {
  const dcmjs: {
    readonly data: {
      readonly DicomDict: new (meta: object) => { dict: object; write(options: object): ArrayBuffer };
    };
  };
  export default dcmjs;
}

declare module '*/scripts/error-docs.mjs' {
  export function errorsPage(codes: object): string;
}
