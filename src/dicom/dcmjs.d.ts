/** The package brings no types; those parts that are used. */
declare module 'dcmjs' {
  const dcmjs: {
    readonly data: {
      readonly DicomDict: new (
        meta: object,
      ) => {
        dict: object;
        write(options: object): ArrayBuffer;
      };
      readonly DicomMessage: {
        readFile(bytes: ArrayBuffer): {
          readonly dict: Readonly<Record<string, { readonly vr: string; readonly Value?: readonly unknown[] }>>;
        };
      };
      readonly DicomMetaDictionary: object;
    };
  };
  export default dcmjs;
}
