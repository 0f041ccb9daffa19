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
    };
    readonly log: { setLevel(level: string): void };
  };
  export default dcmjs;
}
