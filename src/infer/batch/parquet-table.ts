import type { FileHandle } from 'node:fs/promises';
import type { ByteWriter, ParquetWriter, SchemaElement } from 'hyparquet-writer';

type Primitive = 'STRING' | 'INT32' | 'DOUBLE' | 'BOOLEAN';

/** The type of a column's values; with `?` or `optional`, a row may lack one. */
export type Column =
  | Primitive
  | `${Primitive}?`
  | { readonly list: Column; readonly optional?: true }
  | { readonly fields: Columns; readonly optional?: true };

/** The columns of a table, or the fields of a value, by name. */
export interface Columns {
  readonly [name: string]: Column;
}

type Value<C extends Column> = C extends `${infer Plain extends Primitive}?`
  ? Value<Plain>
  : C extends 'STRING'
    ? string
    : C extends 'BOOLEAN'
      ? boolean
      : C extends { readonly list: infer Element extends Column }
        ? readonly Value<Element>[]
        : C extends { readonly fields: infer Fields extends Columns }
          ? Row<Fields>
          : number;

type Optional = `${Primitive}?` | { readonly optional: true };

type Row<C extends Columns> = {
  readonly [Name in keyof C as C[Name] extends Optional ? never : Name]: Value<C[Name]>;
} & {
  readonly [Name in keyof C as C[Name] extends Optional ? Name : never]?: Value<C[Name]> | null | undefined;
};

/** Rows that are compressed together, and kept in memory until then. */
const GROUP = 20_000;

/** Writes a table of Parquet to an open file, a group of rows at a time. */
export class ParquetTable<C extends Columns> {
  private rows: Row<C>[] = [];

  private constructor(
    private readonly file: FileHandle,
    private readonly columns: C,
    private readonly bytes: ByteWriter,
    private readonly writer: ParquetWriter,
  ) {}

  static async begin<C extends Columns>(file: FileHandle, columns: C): Promise<ParquetTable<C>> {
    // Loaded here, as other batches do not need it.
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
    const bytes = new ByteWriter();
    const schema = [{ name: 'root', num_children: Object.keys(columns).length }, ...elementsOf(columns)];
    return new ParquetTable(file, columns, bytes, new ParquetWriter({ writer: bytes, schema, createdBy: 'sonoground' }));
  }

  async add(row: Row<C>): Promise<void> {
    this.rows.push(row);
    if (this.rows.length >= GROUP) await this.flush();
  }

  /** Writes the remaining rows and the table's directory; closing the file is left to the caller. */
  async end(): Promise<void> {
    if (this.rows.length > 0) await this.flush();
    await this.writer.finish();
    await this.drain();
  }

  private async flush(): Promise<void> {
    const columnData = Object.keys(this.columns).map((name) => ({
      name,
      data: this.rows.map((row) => (row as Readonly<Record<string, unknown>>)[name] ?? null),
    }));
    this.rows = [];
    await this.writer.write({ columnData, rowGroupSize: GROUP });
    await this.drain();
  }

  /** The writer's offset goes on counting. */
  private async drain(): Promise<void> {
    await this.file.writeFile(this.bytes.getBytes());
    this.bytes.index = 0;
  }
}

/** The elements of columns in Parquet's schema: each followed by those of its own values. */
function elementsOf(columns: Columns): SchemaElement[] {
  return Object.entries(columns).flatMap(([name, column]) => elementOf(name, column));
}

function elementOf(name: string, column: Column): SchemaElement[] {
  if (typeof column === 'string') {
    const repetition_type = column.endsWith('?') ? 'OPTIONAL' : 'REQUIRED';
    const type = column.replace('?', '') as Primitive;
    return [
      type === 'STRING' ? { name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' } : { name, repetition_type, type },
    ];
  }
  const repetition_type = column.optional ? 'OPTIONAL' : 'REQUIRED';
  if ('fields' in column)
    return [{ name, repetition_type, num_children: Object.keys(column.fields).length }, ...elementsOf(column.fields)];
  // The names are the format's.
  return [
    { name, repetition_type, converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...elementOf('element', column.list),
  ];
}
